using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.Bench;

/// <summary>What a benchmark of the forward pass does.</summary>
public sealed record BenchmarkSettings
{
    /// <summary>Tokens each sequence already holds, 0 to 1048576. Their K and V are seeded random numbers written straight into the cache. Default 0.</summary>
    [Range(0, 1 << 20, ErrorMessage = "Depth must be between 0 and 1048576 tokens.")]
    public int Depth { get; init; }

    /// <summary>Sequences, 1 to 4096. Decode steps them together; prefill takes them one after the other, as if all had arrived at once. Default 1.</summary>
    [Range(1, 4096, ErrorMessage = "Batch must be between 1 and 4096 sequences.")]
    public int Batch { get; init; } = 1;

    /// <summary>Tokens measured per sequence: decode steps, or the length of the prompt. Default 128.</summary>
    [Range(1, 1 << 20, ErrorMessage = "Tokens must be between 1 and 1048576.")]
    public int Tokens { get; init; } = 128;

    /// <summary>Rows of a prefill step. Default 512.</summary>
    [Range(1, 65_536, ErrorMessage = "ChunkTokens must be between 1 and 65536.")]
    public int ChunkTokens { get; init; } = 512;

    /// <summary>Threads; the default, 0, means one per core the process may use.</summary>
    [Range(0, 1024, ErrorMessage = "Threads must be between 0 (automatic) and 1024.")]
    public int Threads { get; init; }

    /// <summary>Rung that the sequences are on: those before the measured tokens are squeezed first, new columns as they leave the window. Default <c>f16</c>.</summary>
    [Required(ErrorMessage = "Rung must be the name of a rung.")]
    public string Rung { get; init; } = "f16";

    /// <summary>Seed of the tokens, keys and values. Default 1.</summary>
    public int Seed { get; init; } = 1;
}
