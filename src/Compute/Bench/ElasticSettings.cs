using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.Bench;

/// <summary>What a benchmark of undo or of budget changes runs.</summary>
public sealed record ElasticSettings
{
    /// <summary>Memory for the KV cache, in bytes.</summary>
    [Range(16 << 20, long.MaxValue, ErrorMessage = "The budget must be at least 16 MiB.")]
    public required long BudgetBytes { get; init; }

    /// <summary>Tokens of each session; at least 512, so that there is something behind the recent window.</summary>
    [Range(512, 1 << 20, ErrorMessage = "The tokens must be between 512 and 1048576.")]
    public required int Tokens { get; init; }

    /// <summary>Sessions.</summary>
    [Range(1, 256, ErrorMessage = "The sessions must be between 1 and 256.")]
    public int Sessions { get; init; } = 1;

    /// <summary>The rung they are squeezed to.</summary>
    public required string Rung { get; init; }

    /// <summary>Threads; 0: one per core.</summary>
    [Range(0, 1024, ErrorMessage = "The threads must be between 0 and 1024.")]
    public int Threads { get; init; }
}
