namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>One head whose slots are ranked, and where the ranks go. All memory is the caller's until the ranks are made.</summary>
internal unsafe struct RankSpace
{
    /// <summary>Metric of each slot.</summary>
    public float* Metric;

    /// <summary>Slots.</summary>
    public int Slots;

    /// <summary>Pages they lie in; fewer than full ones would need are never given.</summary>
    public int Pages;

    /// <summary>Slots of a full page.</summary>
    public int PageTokens;

    /// <summary>Receives the block each slot goes with, from 1, or <see cref="HeadRanks.Never"/>.</summary>
    public ushort* GoesWith;

    /// <summary>Receives the cost of each block; room for one per page.</summary>
    public float* Costs;

    /// <summary>Scratch, one per slot.</summary>
    public ulong* Keys;

    /// <summary>Scratch, one per slot.</summary>
    public ulong* Spare;
}
