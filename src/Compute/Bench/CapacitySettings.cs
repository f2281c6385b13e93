using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.Bench;

/// <summary>What the capacity benchmark fills.</summary>
public sealed record CapacitySettings
{
    /// <summary>Budget of the cache of each rung, in bytes. Default 256 MiB.</summary>
    [Range(1, 16L << 40, ErrorMessage = "BudgetBytes must be between 1 and 16 TiB.")]
    public long BudgetBytes { get; init; } = 256L << 20;

    /// <summary>Tokens of each session, at most the model's context. Default 8192.</summary>
    [Range(1, 1 << 20, ErrorMessage = "Tokens must be between 1 and 1048576.")]
    public int Tokens { get; init; } = 8192;

    /// <summary>Names of the rungs, in the order of the results.</summary>
    [MinLength(1, ErrorMessage = "Rungs must name at least one rung.")]
    public required IReadOnlyList<string> Rungs { get; init; }

    /// <summary>
    /// True: every session is written and squeezed. The default, false, does that for the first and copies it, unit by unit
    /// and sharing nothing, for the others: the same bytes in less time.
    /// </summary>
    public bool GrowAll { get; init; }

    /// <summary>Seed of the keys and values. Default 1.</summary>
    public int Seed { get; init; } = 1;
}
