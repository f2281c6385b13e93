using Concertina.Compute.KvCache.Eviction;

namespace Concertina.Compute.Evaluation;

/// <summary>Ways to choose what is evicted, for comparison; the engine knows the method alone.</summary>
public static class EvictionModes
{
    /// <summary>KV-Compress as the engine runs it.</summary>
    public const string Method = "method";

    private static readonly Dictionary<string, EvictionOptions> Known = new(StringComparer.Ordinal)
    {
        [Method] = new EvictionOptions(),
        ["l1"] = new EvictionOptions { Metric = EvictionMetric.Attention },
        ["uniform"] = new EvictionOptions { Allocation = EvictionAllocation.Uniform },
        ["window"] = new EvictionOptions { Metric = EvictionMetric.Recency, Allocation = EvictionAllocation.Uniform },
        ["floor"] = new EvictionOptions { HeadFloor = 0.8 },
        ["nopool"] = new EvictionOptions { PoolKernel = 1 },
        ["w32"] = new EvictionOptions { QueryCount = 32 },
    };

    /// <summary>Names of all.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <exception cref="ArgumentException">The name is unknown; the message has those that are.</exception>
    internal static EvictionOptions Find(string name) => Known.TryGetValue(name, out EvictionOptions? options)
        ? options
        : throw new ArgumentException($"There is no way to evict named '{name}'; known are {string.Join(", ", Known.Keys)}.", nameof(name));
}
