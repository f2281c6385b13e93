using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Cli.Reports.Plots;

/// <summary>Kinds of rungs, each with a colour.</summary>
internal static class RungFamily
{
    /// <summary>Style and words of each kind, for the key of a plot.</summary>
    public static IReadOnlyList<(string Style, string Words)> Key { get; } =
    [
        ("lossless", "lossless"), ("row", "integers"), ("vector", "CommVQ"), ("latent", "XQuant"), ("evict", "with eviction"), ("decided", "DMS"), ("row arm", "for comparison only"),
    ];

    /// <summary>Whether a rung exists to be compared with, on no ladder.</summary>
    public static bool IsArm(string rung) => RungCatalog.ArmNames.Contains(rung);

    /// <summary>Style of a rung.</summary>
    public static string Style(string rung)
    {
        string family = rung.Contains(RungCatalog.DecidedSuffix, StringComparison.Ordinal) ? "decided"
            : rung.Contains(RungCatalog.EvictSuffix, StringComparison.Ordinal) ? "evict"
            : rung.StartsWith("xq", StringComparison.Ordinal) ? "latent"
            : rung.StartsWith("commvq", StringComparison.Ordinal) ? "vector"
            : rung.StartsWith('f') ? "lossless" : "row";
        return IsArm(rung) ? family + " arm" : family;
    }
}
