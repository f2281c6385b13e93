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

    /// <exception cref="ArgumentOutOfRangeException">A count is below 1, or the head dimension is not a multiple of 16 up to 256.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(LayerCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(KvHeadCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupSize, 1);
        if (HeadDim is < 16 or > 256 || HeadDim % 16 != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(HeadDim), HeadDim, "The head dimension must be a multiple of 16 between 16 and 256.");
        }
    }
}
