using Concertina.Compute.KvCache.Eviction.Planning;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// Evicts slots of tables whose rung keeps one in so many (KV-Compress, arXiv 2410.00161) in bounded pieces: metric and ranks
/// head by head, then the choice over all heads, then the compaction head by head. Stopping between two pieces is always
/// safe. One table at a time. Engine thread only, between steps of the engine.
/// </summary>
internal sealed unsafe class Evictor : IDisposable
{
    /// <summary>Bytes after which a piece ends, at the next page.</summary>
    private const long PieceBytes = 32 << 10;

    /// <summary>What the choice of one block is charged: its cost and its place among the heads.</summary>
    private const int ChoiceBytes = 16;

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

    /// <summary>Most that one step may be charged on a rung: a piece, and the page with which it ends.</summary>
    public long DearestCharge(RungFormat to) => to.Evicts
        ? PieceBytes + Math.Max(_inside.Columns.Format.WholeBytes, HeadCompactor.Overshoot(to.UnitBytes))
        : 0;

    /// <summary>Does the next piece of a table's eviction.</summary>
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
            _compactor.Drop();
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
        table.Eviction.Reach.Cut(table.Eviction.Done);
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
        EvictionMetric metric = to.Rung.Decided ? EvictionMetric.Decisions : _options.Metric;
        bool observes = to.Observes && metric != EvictionMetric.Recency;
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
        var job = new EvictionJob(table, to, _unitCounts, _taken) { Metric = metric };
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
            if (!_scan.TakesPart(job))
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
        long charge = _scan.Run(job, _schedule.Costs, PieceBytes);
        if (_scan.IsOpen)
        {
            return new EvictionStep(EvictionOutcome.Worked, charge);
        }
        job.Include();
        _schedule.Add(_scan.Freeable);
        return Next(job, charge);
    }

    private EvictionStep Choose(EvictionJob job)
    {
        long surplus = Math.Max(0, job.RankedUnits - KeptUnits(job.Columns, job.RankedHeads, job.To.Rung.KeepOneIn));
        if (_options.Allocation == EvictionAllocation.Uniform)
        {
            _ = _schedule.Uniform(surplus, job.Taken);
            job.Phase = EvictionPhase.Compact;
            return new EvictionStep(EvictionOutcome.Worked);
        }
        if (!job.IsChoosing)
        {
            _schedule.BeginGlobal(surplus, job.Taken, _options.HeadFloor);
            job.IsChoosing = true;
        }
        int most = (int)(PieceBytes / ChoiceBytes);
        int taken = _schedule.TakeGlobal(most, job.Taken);
        job.Phase = taken < most ? EvictionPhase.Compact : EvictionPhase.Choose;
        return new EvictionStep(EvictionOutcome.Worked, taken * ChoiceBytes);
    }

    private EvictionStep Compact(EvictionJob job)
    {
        // What the model marks goes wherever it is, not only where a unit can be had for it.
        if (job.Taken[job.Head] == 0 && (job.Metric != EvictionMetric.Decisions || job.Units(job.Head) == 0))
        {
            return Next(job, charge: 0);
        }
        if (!_compactor.IsOpen)
        {
            _compactor.Begin();
        }
        bool room = _compactor.TryAdvance(job, PieceBytes, out long charge);
        return !room ? new EvictionStep(EvictionOutcome.NoRoom, charge)
            : _compactor.IsOpen ? new EvictionStep(EvictionOutcome.Worked, charge)
            : Next(job, charge);
    }

    private EvictionStep Next(EvictionJob job, long charge)
    {
        job.Pass();
        if (job.Head == _shape.HeadCount)
        {
            if (job.Phase == EvictionPhase.Compact)
            {
                job.Table.Eviction.Done = job.Columns;
                job.Table.Eviction.Reach.Cover(job.To.Rung.KeepOneIn, job.Columns);
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
            return new EvictionStep(EvictionOutcome.Behind);
        }
        Cancel();
        return new EvictionStep(TryBegin(table));
    }
}
