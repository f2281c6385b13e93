namespace Concertina.Compute.KvCache.Eviction;

/// <summary>What is ranked inside a head.</summary>
internal enum EvictionGrain
{
    /// <summary>Single slots, wherever they lie; a block of candidates costs what its dearest slot costs: the method.</summary>
    Slots,

    /// <summary>Whole pages as they lie, by the sum of their slots (block-sum): ablation.</summary>
    Pages,
}
