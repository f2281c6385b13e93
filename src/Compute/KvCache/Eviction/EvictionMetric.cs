namespace Concertina.Compute.KvCache.Eviction;

/// <summary>What makes a slot worth keeping.</summary>
internal enum EvictionMetric
{
    /// <summary>Squared post-softmax attention of the observed queries: the method.</summary>
    SquaredAttention,

    /// <summary>Attention itself (L1): ablation.</summary>
    Attention,

    /// <summary>What the model decided (DMS); the only one of rungs that are <see cref="Rungs.Rung.Decided"/>, and of no others.</summary>
    Decisions,

    /// <summary>Position, so that sinks and the newest tokens stay (sliding window): ablation.</summary>
    Recency,
}
