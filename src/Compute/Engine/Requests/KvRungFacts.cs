namespace Concertina.Compute.Engine;

/// <summary>
/// One rung of the served model's ladder. Bytes and ratio are those of a sequence of <see cref="AtTokens"/> tokens, its
/// exact parts and page lists included.
/// </summary>
public sealed record KvRungFacts
{
    /// <summary>Length for which bytes and ratio are given, in tokens.</summary>
    public const int AtTokens = 8192;

    /// <summary>Stable name.</summary>
    public required string Name { get; init; }

    /// <summary>Bits per stored value, scales and other side data included.</summary>
    public required double Bits { get; init; }

    /// <summary>Bytes of the lossless rung divided by bytes of this one; 1 for the lossless rung.</summary>
    public required double Ratio { get; init; }

    /// <summary>Physical KV bytes per token, rounded up.</summary>
    public required long BytesPerToken { get; init; }

    /// <summary>Mean divergence from the lossless rung, in nats per token; null: not measured for this model.</summary>
    public double? MeanKl { get; init; }

    /// <summary>Its 99th percentile over tokens; null: not measured.</summary>
    public double? P99Kl { get; init; }

    /// <summary>Share of recall questions answered rightly, 0 to 1; null: not measured.</summary>
    public double? Recall { get; init; }

    /// <summary>Attention's time per cached token divided by that of the lossless rung; null: not measured.</summary>
    public double? AttendRatio { get; init; }

    /// <summary>Nanoseconds of one thread that moving one token here takes; null: not measured.</summary>
    public double? EncodeNsPerToken { get; init; }

    /// <summary>True when the rung exists only with trained data of this model.</summary>
    public bool NeedsProfile { get; init; }
}
