using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Concertina.Compute.KvCache.Rungs;

/// <summary>The names of rungs. They are API and stable.</summary>
public static class RungCatalog
{
    /// <summary>Suffix of a rung that evicts, followed by a number: one in so many slots is kept.</summary>
    public const string EvictSuffix = "+evict";

    /// <summary>Suffix of a rung that evicts what the model marks (DMS), followed by a number likewise.</summary>
    public const string DecidedSuffix = "+dms";

    private const int LeastKept = 2;
    private const int MostKept = 64;

    private static readonly Rung[] Plain =
    [
        new("f16", "f16", "f16", 1),
        new("int8", "int8", "int8", 1),
        new("k8v4", "int8", "int4", 1),
        new("int4", "int4", "int4", 1),
        new("k4v2", "int4", "int2", 1),
        new("int2", "int2", "int2", 1),
        new("commvq2", "commvq2", "commvq2", 1),
        new("commvq1", "commvq1", "commvq1", 1),
        new("xq8", "xq8", "xq8", 1),
        new("xq4", "xq4", "xq4", 1),
        new("xq3", "xq3", "xq3", 1),
        new("xq2", "xq2", "xq2", 1),
    ];

    private static readonly Rung[] Arms =
    [
        new("int4p", "int4p", "int4p", 1),
        new("int2c", "int2c", "int2c", 1),
        new("int2g", "int2g", "int2g", 1),
        new("commvq2u", "commvq2u", "commvq2u", 1),
        new("commvq2r", "commvq2r", "commvq2r", 1),
        new("commvq2m", "commvq2m", "commvq2m", 1),
        new("commvq2k", "commvq2", "f16", 1),
        new("commvq2v", "f16", "commvq2", 1),
    ];

    /// <summary>Names of those that exist to be compared with, on no ladder.</summary>
    public static IReadOnlyList<string> ArmNames { get; } = [.. Arms.Select(arm => arm.Name)];

    /// <summary>Rungs without eviction, lossless first.</summary>
    public static IReadOnlyList<Rung> All => Plain;

    /// <summary>Rungs that need nothing trained, lossless first: the ladder of a model without a profile.</summary>
    public static IReadOnlyList<Rung> WithoutProfile { get; } = [.. Plain.Where(rung => !NeedsProfile(rung))];

    /// <summary>Whether a rung needs data from the model's KV profile.</summary>
    public static bool NeedsProfile(Rung rung) => NeedsBooks(rung) || NeedsLatents(rung);

    /// <summary>Whether a rung needs CommVQ's codebooks.</summary>
    public static bool NeedsBooks(Rung rung) => Needs(rung, "commvq");

    /// <summary>Whether a rung needs XQuant's latent maps.</summary>
    public static bool NeedsLatents(Rung rung) => Needs(rung, "xq");

    private static bool Needs(Rung rung, string family)
    {
        ArgumentNullException.ThrowIfNull(rung);
        return rung.KeyCodec.StartsWith(family, StringComparison.Ordinal) || rung.ValueCodec.StartsWith(family, StringComparison.Ordinal);
    }

    /// <summary>Reads a name.</summary>
    /// <param name="name">Name, with or without eviction.</param>
    /// <param name="rung">The rung.</param>
    /// <param name="problem">Why it is none: what was read, what is known.</param>
    public static bool TryParse(string name, [NotNullWhen(true)] out Rung? rung, [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(name);
        (rung, problem) = (null, null);
        bool decided = name.Contains(DecidedSuffix, StringComparison.Ordinal);
        string suffixName = decided ? DecidedSuffix : EvictSuffix;
        int suffix = name.IndexOf(suffixName, StringComparison.Ordinal);
        string stem = suffix < 0 ? name : name[..suffix];
        if (Array.Find(Plain, known => known.Name == stem) is not { } plain)
        {
            problem = $"There is no rung '{name}'. Known are {string.Join(", ", Plain.Select(known => known.Name))}, each also with " +
                $"{EvictSuffix}N, and for models retrofitted with DMS {DecidedSuffix}N, N from {LeastKept} to {MostKept}.";
            return false;
        }
        int keepOneIn = 1;
        string digits = suffix < 0 ? "" : name[(suffix + suffixName.Length)..];
        // One spelling per rung: no sign, no leading zero.
        if (suffix >= 0 && (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out keepOneIn)
            || digits[0] == '0' || keepOneIn is < LeastKept or > MostKept))
        {
            problem = $"Rung '{name}' keeps one slot in '{digits}'; a whole number from {LeastKept} to {MostKept} is needed.";
            return false;
        }
        rung = plain with { Name = name, KeepOneIn = keepOneIn, Decided = decided };
        return true;
    }

    /// <summary>The rung of a name; also those that exist for comparison only and are on no ladder.</summary>
    /// <exception cref="ArgumentException">There is none; the message has the known ones.</exception>
    public static Rung Parse(string name) => TryParse(name, out Rung? rung, out string? problem)
        ? rung
        : Array.Find(Arms, arm => arm.Name == name) ?? throw new ArgumentException(problem, nameof(name));
}
