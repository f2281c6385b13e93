using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>How slots are scored, ranked and protected. The defaults are the method; the rest are its ablations.</summary>
internal sealed record EvictionOptions
{
    /// <summary>Rows of the observation window: the last queries of each layer. 1 to 64; the paper's default is 8.</summary>
    public int QueryCount { get; init; } = 8;

    /// <summary>Positions under the maximum pool, odd; 1 turns it off.</summary>
    public int PoolKernel { get; init; } = 7;

    /// <summary>What makes a slot worth keeping.</summary>
    public EvictionMetric Metric { get; init; } = EvictionMetric.SquaredAttention;

    /// <summary>How the blocks to free are divided over heads.</summary>
    public EvictionAllocation Allocation { get; init; } = EvictionAllocation.Global;

    /// <summary>Share of an equal part that each head keeps whatever its metric, 0 (the paper) to 1 (uniform).</summary>
    public double HeadFloor { get; init; }

    /// <summary>What is ranked inside a head.</summary>
    public EvictionGrain Grain { get; init; } = EvictionGrain.Slots;

    /// <summary>Pairs of query and key closer than this do not count; at most the protected window.</summary>
    public int MinimumDistance { get; init; }

    /// <summary>Kernels to use; all give the same bits.</summary>
    public VectorPath Path { get; init; } = VectorPaths.Best;

    /// <exception cref="ArgumentOutOfRangeException">A figure is outside its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(QueryCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(QueryCount, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(PoolKernel, 1);
        ArgumentOutOfRangeException.ThrowIfZero(PoolKernel % 2, nameof(PoolKernel));
        ArgumentOutOfRangeException.ThrowIfNegative(MinimumDistance);
        ArgumentOutOfRangeException.ThrowIfNegative(HeadFloor);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(HeadFloor, 1);
    }
}
