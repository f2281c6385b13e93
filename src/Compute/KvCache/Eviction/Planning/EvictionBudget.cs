namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Blocks (pages of one head) to free. Both forms count blocks: counting slots instead would let half-filled last blocks
/// inflate what is kept.
/// </summary>
/// <param name="BlockTokens">Slots of a block.</param>
/// <param name="HeadCount">Heads of all layers.</param>
/// <param name="ProtectedTokens">Tokens that every head keeps.</param>
internal readonly record struct EvictionBudget(int BlockTokens, int HeadCount, int ProtectedTokens)
{
    /// <summary>Keeps at most this many tokens per head on average.</summary>
    public long BySize(long maximumTokens, long blocksNow) => Clamped(blocksNow, CeilDivide(maximumTokens, BlockTokens) * HeadCount);

    /// <summary>Keeps a share of the tokens that are not protected.</summary>
    /// <param name="keptShare">0 to 1.</param>
    /// <param name="tokens">Tokens of the sequence.</param>
    /// <param name="blocksNow">Blocks of all heads.</param>
    public long ByRate(double keptShare, long tokens, long blocksNow)
    {
        double evictable = Math.Max(0, tokens - RoundedProtected);
        return Keeping((long)Math.Ceiling(evictable * keptShare), blocksNow);
    }

    /// <summary>Keeps one in so many of the tokens that are not protected: <see cref="ByRate"/> without its rounding.</summary>
    public long ByOneIn(int oneIn, long tokens, long blocksNow) =>
        Keeping(CeilDivide(Math.Max(0, tokens - RoundedProtected), oneIn), blocksNow);

    private long RoundedProtected => CeilDivide(ProtectedTokens, BlockTokens) * BlockTokens;

    private long Keeping(long keptTokens, long blocksNow) =>
        Clamped(blocksNow, CeilDivide((keptTokens + RoundedProtected) * HeadCount, BlockTokens));

    private long Clamped(long blocksNow, long keptBlocks) =>
        Math.Max(0, blocksNow - Math.Max(keptBlocks, CeilDivide(ProtectedTokens, BlockTokens) * HeadCount));

    private static long CeilDivide(long value, long divisor) => (value + divisor - 1) / divisor;
}
