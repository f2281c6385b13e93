using Concertina.Compute.KvCache.Eviction.Scoring;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// The metric of one head of a table in slices of pages: every live key takes part in the softmax, but only the first page,
/// the region and the page behind it are scored, because others are not ranked and lie too far to matter to the pool.
/// </summary>
internal sealed unsafe class HeadScan(KvShape shape, UnitSlots slots, Observations observations, EvictionOptions options) : IDisposable
{
    private const int PagesPerSlice = 32;

    private readonly HeadMetric _metric = new(shape.GroupSize, shape.HeadDim, options);
    private readonly float[] _queries = new float[shape.GroupSize * options.QueryCount * shape.HeadDim];
    private int _unitCount;
    private int _scoredUnits;
    private int _next;
    private int _slotCount;

    /// <summary>Bytes it keeps.</summary>
    public static long BytesFor(KvShape shape, EvictionOptions options) =>
        HeadMetric.FixedBytes(shape.GroupSize, shape.HeadDim, options)
        + ((long)shape.GroupSize * options.QueryCount * shape.HeadDim * sizeof(float));

    /// <summary>True between the first and the last slice of a head.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Starts the job's present head.</summary>
    /// <returns>False when the observed queries are not complete.</returns>
    public bool TryBegin(EvictionJob job)
    {
        PageTable table = job.Table;
        int layer = job.Head / shape.KvHeadCount;
        _scoredUnits = Squeezer.SinkColumns + job.Units(job.Head) + 1;
        _unitCount = table.UnitCount(job.Head);
        _slotCount = 0;
        _next = _unitCount;
        if (options.Metric != EvictionMetric.Recency)
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
    public void Drop() => IsOpen = false;

    /// <summary>Reads the next pages; when the last is read, the metric of the scored slots is in the job's memory.</summary>
    /// <returns>Bytes read.</returns>
    public long Run(EvictionJob job)
    {
        long bytes = 0;
        Span<int> positions = job.Memory.Positions;
        int end = _unitCount + _scoredUnits;
        for (int pages = 0; pages < PagesPerSlice && _next < end; pages++, _next++)
        {
            bytes += _next < _unitCount ? Observe(job, _next) : Score(job, _next - _unitCount);
        }
        if (_next == end)
        {
            Finish(job, positions[.._slotCount]);
        }
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => _metric.Dispose();

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
        if (options.Metric == EvictionMetric.Recency)
        {
            return count * sizeof(int);
        }
        int bytes = slots.DecodeKeys(job.Head, unit, _metric.Keys[..(count * shape.HeadDim)]);
        _metric.Score(positions[..count]);
        return bytes;
    }

    private void Finish(EvictionJob job, ReadOnlySpan<int> positions)
    {
        IsOpen = false;
        if (options.Metric != EvictionMetric.Recency)
        {
            _metric.Finish(positions, job.Memory.Metric);
            return;
        }
        for (int slot = 0; slot < positions.Length; slot++)
        {
            job.Memory.Metric[slot] = positions[slot];
        }
    }
}
