using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Eviction.Planning;
using Concertina.Compute.KvCache.Eviction.Scoring;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// The metric and the ranks of one head of a table, piece by piece: every live key takes part in the softmax, but only the
/// first page, the region and the page behind it are scored, because others are not ranked and lie too far to matter to the
/// pool.
/// </summary>
internal sealed unsafe class HeadScan(KvShape shape, UnitSlots slots, Observations observations, EvictionOptions options) : IDisposable
{
    private readonly HeadMetric _metric = new(shape.GroupSize, shape.HeadDim, options);
    private readonly float[] _queries = new float[shape.GroupSize * options.QueryCount * shape.HeadDim];
    private readonly HeadRanks _ranks = new(options.Grain);
    private int _unitCount;
    private int _scoredUnits;
    private int _next;
    private int _slotCount;
    private int _regionStart;
    private int _regionEnd;
    private int _pooled;

    /// <summary>Bytes it keeps.</summary>
    public static long BytesFor(KvShape shape, EvictionOptions options) =>
        HeadMetric.FixedBytes(shape.GroupSize, shape.HeadDim, options) + HeadRanks.FixedBytes
        + ((long)shape.GroupSize * options.QueryCount * shape.HeadDim * sizeof(float));

    /// <summary>True between the first and the last piece of a head.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Blocks the head could give up, once its last piece is done.</summary>
    public int Freeable => _ranks.Freeable;

    private int EndOfPages => _unitCount + _scoredUnits;

    /// <summary>
    /// Whether the units of the job's present head can be ranked. One that another codec refused stays in its form; a job that
    /// ended early may have left a page that is not full, which does not rank with whole pages.
    /// </summary>
    public bool TakesPart(EvictionJob job)
    {
        for (int unit = 0; unit < job.Units(job.Head); unit++)
        {
            ref readonly UnitEntry entry = ref slots.Entry(job.Table.Unit(job.Head, Squeezer.SinkColumns + unit));
            bool ranks = options.Grain == EvictionGrain.Slots || entry.FilledCount == KvShape.PageTokens;
            if (!job.To.Page.Holds(entry) || entry.SizeClass != job.To.SizeClass || !ranks)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Starts the job's present head.</summary>
    /// <returns>False when the observed queries are not complete.</returns>
    public bool TryBegin(EvictionJob job)
    {
        PageTable table = job.Table;
        int layer = job.Head / shape.KvHeadCount;
        _scoredUnits = Squeezer.SinkColumns + job.Units(job.Head) + 1;
        _unitCount = table.UnitCount(job.Head);
        (_slotCount, _pooled) = (0, 0);
        _next = _unitCount;
        if (job.Observes)
        {
            if (!observations.IsFull(table, layer))
            {
                return false;
            }
            ObservationRing ring = observations.Ring(table, layer);
            ring.Gather(job.Head % shape.KvHeadCount * shape.GroupSize, shape.HeadDim, _queries);
            _metric.Begin(_queries, ring.Positions, job.Memory.Sums, _scoredUnits * KvShape.PageTokens);
            _next = 0;
        }
        IsOpen = true;
        return true;
    }

    /// <summary>Drops the head that is open.</summary>
    public void Drop()
    {
        IsOpen = false;
        _ranks.Drop();
    }

    /// <summary>
    /// Does the next piece: keys of pages, or the pool of slots, or their ranks. After the last, the ranks of the region's
    /// slots are in the job's memory.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="costs">Receives the cost of each block the head could give up; the same memory in every piece.</param>
    /// <param name="most">Bytes after which a piece ends.</param>
    /// <returns>Bytes read.</returns>
    public long Run(EvictionJob job, Span<float> costs, long most)
    {
        if (_next < EndOfPages)
        {
            return ReadPages(job, most);
        }
        if (_pooled < _slotCount)
        {
            int slotBytes = sizeof(float) * (shape.GroupSize + 1);
            int first = _pooled;
            _pooled = (int)Math.Min(_slotCount, first + Math.Max(1, most / slotBytes));
            Pool(job, first, _pooled - first);
            if (_pooled == _slotCount)
            {
                BeginRanks(job, costs);
            }
            return (long)(_pooled - first) * slotBytes;
        }
        long bytes = (long)_ranks.Advance((int)Math.Max(KvShape.PageTokens, most / sizeof(ulong))) * sizeof(ulong);
        IsOpen = _ranks.IsOpen;
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => _metric.Dispose();

    private long ReadPages(EvictionJob job, long most)
    {
        long bytes = 0;
        for (; bytes < most && _next < EndOfPages; _next++)
        {
            int scored = _next - _unitCount;
            _regionStart = scored == Squeezer.SinkColumns ? _slotCount : _regionStart;
            _regionEnd = scored == _scoredUnits - 1 ? _slotCount : _regionEnd;
            bytes += scored < 0 ? Observe(job, _next) : Score(job, scored);
        }
        return bytes;
    }

    private int Observe(EvictionJob job, int index)
    {
        UnitHandle unit = job.Table.Unit(job.Head, index);
        Span<int> positions = stackalloc int[KvShape.PageTokens];
        int count = slots.Positions(job.Table, job.Head, unit, positions);
        if (count == 0)
        {
            return 0;
        }
        int bytes = slots.DecodeKeys(job.Head, unit, _metric.Keys[..(count * shape.HeadDim)]);
        _metric.Observe(positions[..count]);
        return bytes;
    }

    private int Score(EvictionJob job, int index)
    {
        UnitHandle unit = job.Table.Unit(job.Head, index);
        Span<int> positions = job.Memory.Positions[_slotCount..];
        int count = slots.Positions(job.Table, job.Head, unit, positions);
        _slotCount += count;
        if (job.Metric == EvictionMetric.Decisions)
        {
            return Decided(job, unit, count);
        }
        if (!job.Observes)
        {
            return count * sizeof(int);
        }
        int bytes = slots.DecodeKeys(job.Head, unit, _metric.Keys[..(count * shape.HeadDim)]);
        _metric.Score(positions[..count]);
        return bytes;
    }

    // The surest to be dropped is the least worth keeping.
    private int Decided(EvictionJob job, UnitHandle unit, int count)
    {
        ReadOnlySpan<byte> codes = slots.Decisions(unit);
        for (int slot = 0; slot < count; slot++)
        {
            job.Memory.Metric[_slotCount - count + slot] = -codes[slot];
        }
        return count * (sizeof(int) + sizeof(byte));
    }

    private void Pool(EvictionJob job, int first, int count)
    {
        ReadOnlySpan<int> positions = job.Memory.Positions[.._slotCount];
        if (job.Metric == EvictionMetric.Decisions)
        {
            return; // each token was decided on alone
        }
        if (job.Observes)
        {
            _metric.Pool(positions, first, new Span<float>(job.Memory.Metric + first, count));
            return;
        }
        for (int slot = first; slot < first + count; slot++)
        {
            job.Memory.Metric[slot] = positions[slot];
        }
    }

    private void BeginRanks(EvictionJob job, Span<float> costs)
    {
        Span<ushort> ranks = job.Ranks;
        // The costs lie in the job's memory outside the heap, like all the rest.
        _ranks.Begin(new RankSpace
        {
            Metric = job.Memory.Metric + _regionStart,
            Slots = _regionEnd - _regionStart,
            Pages = job.Units(job.Head),
            PageTokens = KvShape.PageTokens,
            GoesWith = (ushort*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(ranks)),
            Costs = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(costs)),
            Keys = job.Memory.SortKeys,
            Spare = job.Memory.SpareKeys,
        });
    }
}
