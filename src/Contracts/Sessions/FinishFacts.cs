using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>How a generation ended and what it ran on.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.finish")]
public sealed record FinishFacts
{
    /// <summary>Why it ended.</summary>
    [Id(0)] public required FinishReason Reason { get; init; }

    /// <summary>For <see cref="FinishReason.Error"/>: stage and cause, for example <c>decode/not-finite</c>; otherwise null.</summary>
    [Id(1)] public string? ErrorCode { get; init; }

    /// <summary>For <see cref="FinishReason.Error"/>: what failed, the values, what to do; fit for the client.</summary>
    [Id(2)] public string? ErrorMessage { get; init; }

    /// <summary>Tokens generated.</summary>
    [Id(3)] public int GeneratedTokens { get; init; }

    /// <summary>Name of the deepest rung any unit was on, for example <c>f16</c>.</summary>
    [Id(4)] public string Rung { get; init; } = "f16";

    /// <summary>Physical KV bytes the sequence held at its end.</summary>
    [Id(5)] public long KvBytes { get; init; }

    /// <summary>True while every column it attended to was exact.</summary>
    [Id(6)] public bool Exact { get; init; } = true;

    /// <summary>Steps this sequence waited in place for memory.</summary>
    [Id(7)] public int Waits { get; init; }

    /// <summary>The stop token that ended it, or null.</summary>
    [Id(8)] public int? StopToken { get; init; }

    /// <summary>Bits per stored value over the sequence's units at its end.</summary>
    [Id(9)] public double Bits { get; init; } = 16;

    /// <summary>Bytes its tokens would take on the lossless rung, divided by its physical bytes at the end.</summary>
    [Id(10)] public double Ratio { get; init; } = 1;

    /// <summary>Predicted mean divergence from the lossless rung, in nats per token; 0 on it, null when its rung has no measure.</summary>
    [Id(11)] public double? Distortion { get; init; } = 0;

    /// <summary>Units transcoded for it while it ran.</summary>
    [Id(12)] public long Transcodes { get; init; }
}
