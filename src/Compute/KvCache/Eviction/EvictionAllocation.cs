namespace Concertina.Compute.KvCache.Eviction;

/// <summary>How the blocks to free are divided over heads.</summary>
internal enum EvictionAllocation
{
    /// <summary>The cheapest blocks of all heads and layers ranked together: the method.</summary>
    Global,

    /// <summary>The same number from every head, one more from the first heads where it does not divide: ablation.</summary>
    Uniform,
}
