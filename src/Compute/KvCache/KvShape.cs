namespace Concertina.Compute.KvCache;

/// <summary>What the cache must know of a model.</summary>
/// <param name="LayerCount">Layers.</param>
/// <param name="KvHeadCount">KV heads per layer.</param>
/// <param name="GroupSize">Query heads per KV head.</param>
/// <param name="HeadDim">Channels of one head; a multiple of 16, at most 256.</param>
public readonly record struct KvShape(int LayerCount, int KvHeadCount, int GroupSize, int HeadDim)
{
    /// <summary>KV slots of one page.</summary>
    public const int PageTokens = 64;

    /// <summary>Page lists of one sequence: one per (layer, KV head).</summary>
    public int HeadCount => LayerCount * KvHeadCount;

    /// <summary>Pages needed for a number of tokens.</summary>
    public static int PagesFor(int tokens) => (tokens + PageTokens - 1) / PageTokens;
}
