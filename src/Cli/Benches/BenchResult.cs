namespace Concertina.Cli.Benches;

/// <summary>One measurement with everything needed to repeat and to judge it.</summary>
internal sealed record BenchResult
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit the binary was built from.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>Model, or the shape when the weights are random.</summary>
    public string? Model { get; init; }

    /// <summary>What the numbers do not say by themselves, for example that the weights were random.</summary>
    public string? Note { get; init; }

    /// <summary>Tokens per second: generated ones, or prompt tokens for prefill.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Tokens per second of processor time: what one core yields where cores are shared; null for <c>bench serve</c>.</summary>
    public double? TokensPerCpuSecond { get; init; }

    /// <summary>Request to first token, milliseconds; null where there are no requests.</summary>
    public Percentiles? TtftMs { get; init; }

    /// <summary>Between neighbouring tokens of a stream, milliseconds.</summary>
    public Percentiles? ItlMs { get; init; }

    /// <summary>Resident memory of the process measured, bytes.</summary>
    public long? ResidentBytes { get; init; }

    /// <summary>KV bytes in use at the end, physical.</summary>
    public long? KvBytes { get; init; }

    /// <summary>Bytes of the weights.</summary>
    public long? WeightBytes { get; init; }

    /// <summary>Requests that ended as they should, for <c>bench serve</c>.</summary>
    public int? Requests { get; init; }

    /// <summary>Requests that failed or were refused, for <c>bench serve</c>.</summary>
    public int? Failures { get; init; }

    /// <summary>Mean prompt length in tokens as the server counted it.</summary>
    public double? PromptTokens { get; init; }
}
