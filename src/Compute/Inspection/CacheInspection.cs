using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Inspection;

/// <summary>What the KV cache of a model takes, asked of a cache that was really made: no formula stands twice.</summary>
public sealed class CacheInspection
{
    /// <summary>Budget of the cache that is asked.</summary>
    public const long BudgetBytes = 1L << 30;

    private CacheInspection(long losslessBytesPerToken, IReadOnlyList<RungInspection> rungs) =>
        (LosslessBytesPerToken, Rungs) = (losslessBytesPerToken, rungs);

    /// <summary>Bytes of the keys and values of one token on the lossless rung, without page lists.</summary>
    public long LosslessBytesPerToken { get; }

    /// <summary>The rungs, lossless first.</summary>
    public IReadOnlyList<RungInspection> Rungs { get; }

    /// <summary>Asks a cache of 1 GiB.</summary>
    /// <param name="source">The model.</param>
    /// <param name="profile">Its profile: the measured rungs; null: the rungs that need none.</param>
    /// <param name="lengths">Lengths of sequences, in tokens, each at least 1.</param>
    /// <exception cref="ArgumentException">A rung of the profile is unknown, or 1 GiB has no room for a column of the model.</exception>
    public static CacheInspection Of(ModelSource source, KvProfile? profile, params IReadOnlyList<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(lengths);
        var options = new KvCacheOptions { BudgetBytes = BudgetBytes };
        HashSet<string> ladder = [.. ModelCache.Rungs(options, profile).Select(rung => rung.Name), "f16"];
        IEnumerable<Rung> below = profile is null
            ? RungCatalog.WithoutProfile
            : profile.Rungs.Select(rung => RungCatalog.Parse(rung.Name)).Where(profile.Serves);
        using var cache = new PagedKvCache(source.Config.ToKvShape(), options, new CacheParts
        {
            Open = CodecCatalog.ForOpenPages(options),
            Codecs = ModelCache.Codecs(source, profile, below),
            Rungs = [.. below.Where(rung => rung.Name != "f16")],
            KeepsDecisions = ModelCache.KeepsDecisions(source, below),
        });
        KvRungFacts[] facts = EngineLadder.Of(cache, profile);
        return new CacheInspection(
            (long)cache.Rungs[0].UnitBytes * cache.Shape.HeadCount / KvShape.PageTokens,
            [.. facts.Select((rung, index) => new RungInspection(
                rung, ladder.Contains(rung.Name), [.. lengths.Select(tokens => At(cache, index, tokens))]))]);
    }

    private static LengthFacts At(PagedKvCache cache, int rung, int tokens)
    {
        double bytes = cache.SettledBytes(tokens, rung);
        return new LengthFacts(tokens, bytes / tokens, cache.SettledBytes(tokens, 0) / bytes, cache.CommittableBytes / bytes);
    }
}
