namespace Concertina.Compute.Bench;

/// <summary>What <see cref="BudgetBenchmark"/> found.</summary>
public sealed record BudgetResult
{
    /// <summary>Budget before.</summary>
    public required long BudgetBytes { get; init; }

    /// <summary>Budget asked for.</summary>
    public required long TargetBytes { get; init; }

    /// <summary>Bytes the cache used before.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Bytes by which the process's resident set fell in the time taken.</summary>
    public required long GivenBackBytes { get; init; }

    /// <summary>Seconds until nine tenths of the bytes above the target were out of the resident set.</summary>
    public required double Seconds { get; init; }

    /// <summary>Seconds per 10^9 bytes.</summary>
    public required double SecondsPerGb { get; init; }

    /// <summary>Steps in that time.</summary>
    public required int Steps { get; init; }

    /// <summary>Tokens that streams got until the budget was reached.</summary>
    public required long TokensMeanwhile { get; init; }

    /// <summary>Median milliseconds of a step before.</summary>
    public required double QuietStepMs { get; init; }

    /// <summary>Median milliseconds of a step in that time.</summary>
    public required double StepMs { get; init; }

    /// <summary>The longest step in that time, in milliseconds.</summary>
    public required double LongestStepMs { get; init; }

    /// <summary>Most transcoding work of one step, in bytes of source pages times the weight of their encoding.</summary>
    public required long MostTranscodeBytes { get; init; }
}
