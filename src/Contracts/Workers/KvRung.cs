using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>One rung of a model's ladder. Bytes and ratio are those of a sequence of 8,192 tokens, its exact parts included.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.kv-rung")]
public sealed record KvRung
{
    /// <summary>Stable name, for example <c>int4</c>.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Bits per stored value, side data included.</summary>
    [Id(1)] public required double Bits { get; init; }

    /// <summary>Bytes of the lossless rung divided by bytes of this one.</summary>
    [Id(2)] public required double Ratio { get; init; }

    /// <summary>Physical KV bytes per token.</summary>
    [Id(3)] public required long BytesPerToken { get; init; }

    /// <summary>Mean divergence from the lossless rung, in nats per token; null: not measured for this model.</summary>
    [Id(4)] public double? MeanKl { get; init; }

    /// <summary>Its 99th percentile over tokens; null: not measured.</summary>
    [Id(5)] public double? P99Kl { get; init; }

    /// <summary>Share of recall questions answered rightly, 0 to 1; null: not measured.</summary>
    [Id(6)] public double? Recall { get; init; }

    /// <summary>True when the rung exists only with trained data of this model.</summary>
    [Id(7)] public bool NeedsProfile { get; init; }
}
