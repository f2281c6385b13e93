using Concertina.Compute.KvCache;
using Concertina.Compute.Profile;
using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>Where an engine spills idle sequences to, and under which names their units are found again.</summary>
public sealed record SessionPages
{
    /// <summary>The page files.</summary>
    public required PageFileStore Store { get; init; }

    /// <summary>Hash of the model.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Determinism class, KV profile, ladder and shape; units written under others are refused.</summary>
    public required string Formats { get; init; }

    /// <summary>Told of every page file that could not be written or used: session key, fault, values for the log. Any thread.</summary>
    public Action<string, SessionFileFault, string>? OnFault { get; init; }

    /// <summary>Names what gives the bytes of units their meaning: units of one cache can be restored by another of the same name.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="determinismClass">Class of the model runner that computes them.</param>
    /// <param name="profile">The KV profile whose codebooks the cache has, or null.</param>
    public static string FormatsOf(PagedKvCache cache, string determinismClass, KvProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(cache);
        IEnumerable<string> rungs = Enumerable.Range(0, cache.Rungs.Count).Select(rung => cache.Rungs[rung].Rung.Name);
        return string.Join('|', determinismClass, cache.Shape, profile?.ContentDigest, string.Join(',', rungs));
    }
}
