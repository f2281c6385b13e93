namespace Concertina.Compute.Bench;

/// <summary>What a benchmark of the forward pass measured. Wall time of steps only; loading, packing and warm-up are not in it.</summary>
public sealed record BenchmarkResult
{
    /// <summary>Tokens of all sequences per second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Tokens of all sequences per second of processor time of the process: what a core yields where cores are shared with others.</summary>
    public required double TokensPerCpuSecond { get; init; }

    /// <summary>Median time between tokens of a sequence, in milliseconds; null for prefill.</summary>
    public double? ItlP50Ms { get; init; }

    /// <summary>99th percentile of the time between tokens, in milliseconds; null for prefill.</summary>
    public double? ItlP99Ms { get; init; }

    /// <summary>Median time from the start to the first logits of a sequence, in milliseconds; null for decode.</summary>
    public double? TtftP50Ms { get; init; }

    /// <summary>99th percentile of the time to the first logits, in milliseconds; null for decode.</summary>
    public double? TtftP99Ms { get; init; }

    /// <summary>Bytes the KV cache held at the end, its tables and scratch included.</summary>
    public required long KvBytes { get; init; }

    /// <summary>Resident memory of the process at the end, while weights and cache are still held, in bytes.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>Bytes of the packed weights.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of the activations of a step.</summary>
    public required long ScratchBytes { get; init; }

    /// <summary>Threads that took part.</summary>
    public required int Threads { get; init; }

    /// <summary>Determinism class of the runner.</summary>
    public required string DeterminismClass { get; init; }
}
