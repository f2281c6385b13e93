namespace Concertina.Compute.KvCache.Eviction;

/// <summary>What makes a slot worth keeping.</summary>
internal enum EvictionMetric
{
    /// <summary>Squared post-softmax attention of the observed queries: the method.</summary>
    SquaredAttention,

    /// <summary>Attention itself (L1): ablation.</summary>
    Attention,

    /// <summary>Position, so that sinks and the newest tokens stay (sliding window): ablation.</summary>
    Recency,
}
