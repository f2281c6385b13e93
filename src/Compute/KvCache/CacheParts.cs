using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.KvCache;

/// <summary>What a cache is made of beside its shape and budget.</summary>
internal sealed record CacheParts
{
    /// <summary>Codec of open pages and of the lossless rung.</summary>
    public required IKvCodec Open { get; init; }

    /// <summary>All codecs that units may have.</summary>
    public required CodecSet Codecs { get; init; }

    /// <summary>Rungs below lossless, shallow to deep.</summary>
    public IReadOnlyList<Rung> Rungs { get; init; } = [];

    /// <summary>True: the model says of its tokens how little they are needed (DMS), and head pages keep that.</summary>
    public bool KeepsDecisions { get; init; }

    /// <summary>How rungs that evict choose slots; evaluations pass the ablations.</summary>
    public EvictionOptions Eviction { get; init; } = new();

    /// <summary>
    /// True: the first page and the recent window are squeezed too, as papers without a window do; an evaluation's ablation, not
    /// for rungs that evict.
    /// </summary>
    public bool SqueezesWindow { get; init; }

    /// <summary>Hash of the chain of prefix columns; tests pass a colliding one.</summary>
    public Func<ColumnHash, ReadOnlySpan<int>, ColumnHash> Hash { get; init; } = static (parent, tokens) => parent.Next(tokens);

    /// <summary>The lossless rung in 16 bit and some that need no profile.</summary>
    /// <param name="rungs">Their names, shallow to deep; <c>f16</c> may be among them.</param>
    /// <exception cref="ArgumentException">A name is no rung, or names one that needs a profile.</exception>
    public static CacheParts WithoutProfile(params IEnumerable<string> rungs) => new()
    {
        Open = new F16Codec(),
        Codecs = CodecCatalog.WithoutProfile(),
        Rungs = [.. rungs.Where(name => name != "f16").Select(RungCatalog.Parse)],
    };

    /// <summary>The lossless rung alone, with an open codec of its own or one of the catalog.</summary>
    public static CacheParts Lossless(IKvCodec open) => new()
    {
        Open = open,
        Codecs = new CodecSet(CodecCatalog.All.Where(known => known.Id != open.Id).Append(open)),
    };
}
