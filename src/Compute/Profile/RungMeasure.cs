namespace Concertina.Compute.Profile;

/// <summary>What one rung was measured to cost on a model.</summary>
public sealed record RungMeasure
{
    /// <summary>Share of recall questions that a rung may lose and still stand for a floor in nats.</summary>
    public const double MostRecallLoss = 0.05;

    /// <summary>Name of the rung.</summary>
    public required string Name { get; init; }

    /// <summary>True when it is on the model's ladder: on the lower hull of bytes and distortion, filling a gap of it, or the best by recall behind it.</summary>
    public bool OnLadder { get; init; }

    /// <summary>Physical bytes per token of a sequence of 2,048 tokens.</summary>
    public double BytesPerToken2K { get; init; }

    /// <summary>Physical bytes per token of a sequence of 8,192 tokens, or of the model's context if that is shorter.</summary>
    public double BytesPerToken8K { get; init; }

    /// <summary>Mean divergence from the lossless run, in nats per token.</summary>
    public double MeanKl { get; init; }

    /// <summary>Its 99th percentile over tokens.</summary>
    public double P99Kl { get; init; }

    /// <summary>Share of recall questions answered rightly; null: not asked.</summary>
    public double? Recall { get; init; }

    /// <summary>Attention, in nanoseconds per cached token and KV head, on the machine that measured.</summary>
    public double AttendNs { get; init; }

    /// <summary>Transcoding from the 16-bit form, in nanoseconds per token and KV head, on the machine that measured.</summary>
    public double EncodeNs { get; init; }

    /// <summary>Whether it answers nearly as many recall questions as the lossless rung, or was not asked any.</summary>
    public bool KeepsRecall(RungMeasure lossless)
    {
        ArgumentNullException.ThrowIfNull(lossless);
        return Recall is not { } share || share >= (lossless.Recall ?? 0) - MostRecallLoss;
    }
}
