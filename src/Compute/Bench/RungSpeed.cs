namespace Concertina.Compute.Bench;

/// <summary>What <see cref="RungBenchmark"/> found for one rung; medians over rounds in which all rungs took turns.</summary>
public sealed record RungSpeed
{
    /// <summary>The rung.</summary>
    public required string Rung { get; init; }

    /// <summary>Sequences decoded together.</summary>
    public required int Batch { get; init; }

    /// <summary>Tokens each of them held.</summary>
    public required int Depth { get; init; }

    /// <summary>Attention alone on one thread, nanoseconds per cached token and KV head.</summary>
    public required double AttendNs { get; init; }

    /// <summary>The same as a multiple of the first rung's.</summary>
    public required double AttendToFirst { get; init; }

    /// <summary>A whole decode step on all threads, milliseconds.</summary>
    public required double StepMs { get; init; }

    /// <summary>The same as a multiple of the first rung's.</summary>
    public required double StepToFirst { get; init; }
}
