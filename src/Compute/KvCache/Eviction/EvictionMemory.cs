using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// What one job keeps between its slices, in one block outside the heap: the ranks of all heads, the costs of all blocks,
/// and the arrays of one head.
/// </summary>
internal sealed unsafe class EvictionMemory : IDisposable
{
    private readonly NativeBuffer _buffer;
    private readonly int _slots;

    /// <param name="slots">Most slots of one head that are scored.</param>
    /// <param name="blocks">Pages of all heads that may be freed.</param>
    /// <param name="groupSize">Query heads of a KV head.</param>
    public EvictionMemory(int slots, long blocks, int groupSize)
    {
        _buffer = new NativeBuffer(BytesFor(slots, blocks, groupSize));
        _slots = slots;
        // The parts follow each other, widest elements first, and add up to BytesFor.
        byte* next = _buffer.Pointer;
        SortKeys = (ulong*)next;
        SpareKeys = SortKeys + slots;
        Metric = (float*)(SpareKeys + slots);
        PositionPointer = (int*)(Metric + slots);
        Sums = (float*)(PositionPointer + slots);
        Costs = Sums + ((long)groupSize * slots);
        Ranks = (ushort*)(Costs + blocks);
    }

    /// <summary>Bytes of the block.</summary>
    public long Bytes => _buffer.ByteCount;

    /// <summary>Metric of each scored slot of the present head.</summary>
    public float* Metric { get; }

    /// <summary>Position of each slot of the present head.</summary>
    public Span<int> Positions => new(PositionPointer, _slots);

    /// <summary>Keys to sort by.</summary>
    public ulong* SortKeys { get; }

    /// <summary>Room to sort them.</summary>
    public ulong* SpareKeys { get; }

    /// <summary>Sums per query head and scored slot.</summary>
    public float* Sums { get; }

    /// <summary>Cost of each block of all heads.</summary>
    public float* Costs { get; }

    /// <summary>Block each evictable slot of all heads goes with.</summary>
    public ushort* Ranks { get; }

    private int* PositionPointer { get; }

    public static long BytesFor(int slots, long blocks, int groupSize) =>
        (((2L * sizeof(ulong)) + (2L * sizeof(int)) + ((long)groupSize * sizeof(float))) * slots)
        + (blocks * (sizeof(float) + (KvShape.PageTokens * sizeof(ushort))));

    public void Dispose() => _buffer.Dispose();
}
