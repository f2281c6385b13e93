namespace Concertina.Cli.Reports.Plots;

/// <summary>Kinds of rungs, each with a colour.</summary>
internal static class RungFamily
{
    private static readonly string[] Arms = ["int4p", "int2c", "commvq2u"];

    /// <summary>Style and words of each kind, for the key of a plot.</summary>
    public static IReadOnlyList<(string Style, string Words)> Key { get; } =
    [
        ("lossless", "lossless"), ("row", "integers"), ("vector", "CommVQ"), ("evict", "with eviction"), ("row arm", "for comparison only"),
    ];

    /// <summary>Style of a rung.</summary>
    public static string Style(string rung)
    {
        string family = rung.Contains("+evict", StringComparison.Ordinal) ? "evict"
            : rung.StartsWith("commvq", StringComparison.Ordinal) ? "vector"
            : rung.StartsWith('f') ? "lossless" : "row";
        return Array.IndexOf(Arms, rung) >= 0 ? family + " arm" : family;
    }
}
