namespace Concertina.Compute.Engine;

/// <summary>How a generation ended and what it ran on.</summary>
public sealed record GenerationEnd
{
    /// <summary>How it ended.</summary>
    public required FinishKind Kind { get; init; }

    /// <summary>Stage and cause of a failure: <c>decode/not-finite</c>, <c>decode/slow-reader</c>, <c>memory/wait-expired</c>, <c>memory/budget-exhausted</c>,
    /// <c>admission/queue-timeout</c>, <c>engine/failed</c>, <c>engine/stopped</c>; else null.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>What failed, the values, what to do; else null.</summary>
    public string? ErrorMessage { get; init; }

    /// <summary>Set when it never left the queue: the request was refused after all, and nothing was computed.</summary>
    public EngineRefusal? Refusal { get; init; }

    /// <summary>Tokens sampled, a stop token included although it is not delivered.</summary>
    public required int GeneratedTokens { get; init; }

    /// <summary>The stop token that ended it; null otherwise.</summary>
    public int? StopToken { get; init; }

    /// <summary>Physical bytes its table referred to at the end.</summary>
    public long KvBytes { get; init; }

    /// <summary>True while every column it attended to was exact.</summary>
    public bool Exact { get; init; } = true;

    /// <summary>Steps it waited in place for memory.</summary>
    public int Waits { get; init; }

    /// <summary>Name of the deepest rung any of its units was on.</summary>
    public string Rung { get; init; } = "f16";

    /// <summary>Bits per stored value over its units at the end.</summary>
    public double Bits { get; init; } = 16;

    /// <summary>Bytes its tokens would take on the lossless rung, divided by its physical bytes at the end.</summary>
    public double Ratio { get; init; } = 1;

    /// <summary>Predicted mean divergence from the lossless rung, in nats per token; 0 on it, null when its rung has no measure.</summary>
    public double? Distortion { get; init; } = 0;

    /// <summary>Units transcoded for it while it ran.</summary>
    public long Transcodes { get; init; }
}
