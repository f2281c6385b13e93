using Concertina.Compute.KvCache.Eviction.Planning;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// Evicts slots of tables whose rung keeps one in so many (KV-Compress, arXiv 2410.00161), one bounded slice a step: the
/// metric of a head, then one choice over all heads, then the compaction of a head. Stopping between two steps is always
/// safe. One table at a time. Engine thread only, between steps of the engine.
/// </summary>
internal sealed unsafe class Evictor : IDisposable
{
    private readonly CacheInterior _inside;
    private readonly KvShape _shape;
    private readonly EvictionOptions _options;
    private readonly HeadScan? _scan;
    private readonly HeadCompactor _compactor;
    private readonly EvictionSchedule _schedule;
    private readonly int[] _unitCounts;
    private readonly int[] _taken;
    private EvictionJob? _job;
    private bool _waits;

    /// <summary>The evictor of a cache whose other parts are made.</summary>
    public Evictor(CacheInterior inside, KvShape shape, EvictionOptions options)
    {
        options.Validate();
        _inside = inside;
        _shape = shape;
        _options = options;
        var slots = new UnitSlots(inside.Units, inside.Pages, inside.Codecs);
        _scan = inside.Rungs.Evicts ? new HeadScan(shape, slots, inside.Observations, options) : null;
        _compactor = new HeadCompactor(inside.Columns, inside.Units, slots);
        int heads = inside.Rungs.Evicts ? shape.HeadCount : 0;
        _schedule = new EvictionSchedule(heads);
        _unitCounts = new int[heads];
        _taken = new int[heads];
    }

    /// <summary>The table whose eviction is under way, or null; others wait for it.</summary>
    public PageTable? Current => _job?.Table;

    /// <summary>Bytes that the present job holds outside the arena, borrowed from the reserve.</summary>
    public long JobBytes => _job?.Memory.Bytes ?? 0;

    /// <summary>Bytes it keeps from the start.</summary>
    public static long FixedBytes(KvShape shape, EvictionOptions options) =>
        HeadScan.BytesFor(shape, options) + EvictionSchedule.BytesFor(shape.HeadCount) + (2L * shape.HeadCount * sizeof(int));

    /// <summary>Units of all heads, outside the exact parts, that a rung allows a table with so many columns at the rung.</summary>
    public static long KeptUnits(int columns, int headCount, int keepOneIn)
    {
        long covered = Math.Max(0, columns - Squeezer.SinkColumns);
        long units = covered * headCount;
        return units - new EvictionBudget(KvShape.PageTokens, headCount, 0).ByOneIn(keepOneIn, covered * KvShape.PageTokens, units);
    }

    /// <summary>
    /// Whether a table holds at least one unit per head on average more than its rung allows, in columns that have reached
    /// the rung.
    /// </summary>
    public bool IsWanted(PageTable table)
    {
        RungFormat to = _inside.Rungs[table.Rung];
        int columns = table.Sweep.Done;
        if (!to.Evicts || columns <= Squeezer.SinkColumns || columns <= table.Eviction.Done || columns < table.EvictedColumns)
        {
            return false;
        }
        long held = 0;
        for (int head = 0; head < _shape.HeadCount; head++)
        {
            held += table.IndexOf(head, columns) - Squeezer.SinkColumns;
        }
        return held - KeptUnits(columns, _shape.HeadCount, to.Rung.KeepOneIn) >= _shape.HeadCount;
    }

    /// <summary>Does the next slice of a table's eviction.</summary>
    public EvictionStep Step(PageTable table)
    {
        if (_job is { IsCurrent: false })
        {
            Cancel();
        }
        if (_job is null)
        {
            return new EvictionStep(TryBegin(table));
        }
        if (_job.Table != table)
        {
            return Yield(table);
        }
        _waits = false;
        return _job.Phase switch
        {
            EvictionPhase.Scan => Scan(_job),
            EvictionPhase.Choose => Choose(_job),
            _ => Compact(_job),
        };
    }

    /// <summary>Ends the job that is under way; heads that were compacted stay so.</summary>
    public void Cancel()
    {
        if (_job is not null)
        {
            _scan!.Drop();
            _inside.Budget.GiveBack(_job.Memory.Bytes);
            _job.Dispose();
            _job = null;
        }
    }

    /// <summary>Forgets a table that is released.</summary>
    public void Forget(PageTable table)
    {
        if (Current == table)
        {
            Cancel();
        }
        _inside.Observations.Detach(table);
    }

    /// <summary>Tells of a cut.</summary>
    public void Cut(PageTable table)
    {
        if (Current == table)
        {
            // The head that is read may have lost units behind the region; it is read again. A cut into the region ends the job.
            _scan!.Drop();
            if (table.TokenCount < (_job!.Columns + 1) * KvShape.PageTokens)
            {
                Cancel();
            }
        }
        table.Eviction.Done = Math.Min(table.Eviction.Done, Squeezer.LimitColumn(table.TokenCount));
        if (table.TokenCount == 0)
        {
            _inside.Observations.Detach(table);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _job?.Dispose();
        _job = null;
        _scan?.Dispose();
    }

    private EvictionOutcome TryBegin(PageTable table, bool mayStart = true)
    {
        RungFormat to = _inside.Rungs[table.Rung];
        bool observes = to.Evicts && _options.Metric != EvictionMetric.Recency;
        if (!observes)
        {
            if (!table.KeepsQueries)
            {
                _inside.Observations.Detach(table);
            }
        }
        else if (table.TokenCount > 0 && !_inside.Observations.TryAttach(table))
        {
            return EvictionOutcome.NoRoom;
        }
        if (!mayStart || !IsWanted(table))
        {
            return EvictionOutcome.Done;
        }
        if (observes && !_inside.Observations.IsFull(table, _shape.LayerCount - 1))
        {
            return EvictionOutcome.Waits;
        }
        var job = new EvictionJob(table, to, _unitCounts, _taken);
        long bytes = EvictionMemory.BytesFor(job.MostSlots, job.UnitCount, _shape.GroupSize);
        if (!_inside.Budget.TryBorrow(bytes, _inside.Arena.ExtentsInUse))
        {
            return EvictionOutcome.NoRoom;
        }
        job.Memory = new EvictionMemory(job.MostSlots, job.UnitCount, _shape.GroupSize);
        _schedule.Begin(job.Memory.Costs, (int)job.UnitCount);
        _job = job;
        return EvictionOutcome.Worked;
    }

    private EvictionStep Scan(EvictionJob job)
    {
        if (!_scan!.IsOpen)
        {
            if (!TakesPart(job))
            {
                job.Exclude();
                _schedule.Add(0);
                return Next(job, charge: 0);
            }
            if (!_scan.TryBegin(job))
            {
                _waits = true;
                return new EvictionStep(EvictionOutcome.Waits);
            }
        }
        long charge = _scan.Run(job);
        if (_scan.IsOpen)
        {
            return new EvictionStep(EvictionOutcome.Worked, charge);
        }
        job.Include();
        Span<ushort> ranks = job.Ranks;
        Span<float> metric = job.Memory.Metric.Slice(Squeezer.SinkColumns * KvShape.PageTokens, ranks.Length);
        _schedule.Add(_options.Grain == EvictionGrain.Slots
            ? HeadRanks.BySlot(metric, KvShape.PageTokens, ranks, _schedule.Costs, job.Memory.Keys)
            : HeadRanks.ByPage(metric, KvShape.PageTokens, ranks, _schedule.Costs, job.Memory.Keys));
        return Next(job, charge);
    }

    private EvictionStep Choose(EvictionJob job)
    {
        long surplus = job.RankedUnits - KeptUnits(job.Columns, job.RankedHeads, job.To.Rung.KeepOneIn);
        _ = _options.Allocation == EvictionAllocation.Global
            ? _schedule.Global(Math.Max(0, surplus), job.Taken, _options.HeadFloor)
            : _schedule.Uniform(Math.Max(0, surplus), job.Taken);
        job.Phase = EvictionPhase.Compact;
        return new EvictionStep(EvictionOutcome.Worked);
    }

    private EvictionStep Compact(EvictionJob job)
    {
        long charge = 0;
        if (job.Taken[job.Head] > 0)
        {
            if (!_compactor.TryCompact(job, out charge))
            {
                return new EvictionStep(EvictionOutcome.NoRoom);
            }
            PageTable table = job.Table;
            table.ExactTokens = Math.Min(table.ExactTokens, Squeezer.SinkColumns * KvShape.PageTokens);
            table.ReachedRung = Math.Max(table.ReachedRung, table.Rung);
        }
        return Next(job, charge);
    }

    private EvictionStep Next(EvictionJob job, long charge)
    {
        job.Pass();
        if (job.Head == _shape.HeadCount)
        {
            if (job.Phase == EvictionPhase.Compact)
            {
                job.Table.Eviction.Done = job.Columns;
                Cancel();
                return new EvictionStep(EvictionOutcome.Worked, charge);
            }
            job.Phase = EvictionPhase.Choose;
            job.Rewind();
        }
        return new EvictionStep(EvictionOutcome.Worked, charge);
    }

    // One table at a time; but one that waits for queries makes way for one that need not wait.
    private EvictionStep Yield(PageTable table)
    {
        if (!IsWanted(table))
        {
            return new EvictionStep(TryBegin(table, mayStart: false));
        }
        if (!_waits)
        {
            return new EvictionStep(EvictionOutcome.Waits);
        }
        Cancel();
        return new EvictionStep(TryBegin(table));
    }

    // A unit that another codec refused stays in its form; its head has no region then.
    private bool TakesPart(EvictionJob job)
    {
        for (int unit = 0; unit < job.Units(job.Head); unit++)
        {
            ref UnitEntry entry = ref _inside.Units.Entry(job.Table.Unit(job.Head, Squeezer.SinkColumns + unit));
            if (!job.To.Page.Holds(entry) || entry.SizeClass != job.To.SizeClass || entry.FilledCount != KvShape.PageTokens)
            {
                return false;
            }
        }
        return true;
    }
}
