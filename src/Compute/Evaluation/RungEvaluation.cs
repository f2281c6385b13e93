namespace Concertina.Compute.Evaluation;

/// <summary>What one rung costs on a model; the members' JSON names are the form of the result files.</summary>
public sealed record RungEvaluation
{
    /// <summary>Name of the rung.</summary>
    public required string Rung { get; init; }

    /// <summary>Lossless bytes divided by this rung's, of one sequence of 8,192 tokens (or the model's context).</summary>
    public required double Ratio { get; init; }

    /// <summary>Physical bytes per token of that sequence, exact parts and page lists included.</summary>
    public required double BytesPerToken { get; init; }

    /// <summary>Mean divergence from the lossless run, nats per token.</summary>
    public required double MeanKl { get; init; }

    /// <summary>Its 99th percentile.</summary>
    public required double P99Kl { get; init; }

    /// <summary>Perplexity of the text.</summary>
    public required double Perplexity { get; init; }

    /// <summary>Share of recall questions answered rightly; null: not asked.</summary>
    public double? Recall { get; init; }

    /// <summary>The same less that of the lossless run, on the same questions.</summary>
    public double? RecallDelta { get; init; }

    /// <summary>95 % interval of the difference, low and high, by resampling documents.</summary>
    public double[]? RecallCi95 { get; init; }

    /// <summary>The same questions by the nominal length of the document they are about, shortest first; null: not asked.</summary>
    public IReadOnlyList<RecallAtLength>? RecallByLength { get; init; }

    /// <summary>Attention, nanoseconds per cached token and KV head, one thread.</summary>
    public required double AttendNs { get; init; }

    /// <summary>Transcoding from the 16-bit form, nanoseconds per token and KV head, one thread.</summary>
    public required double EncodeNs { get; init; }

    /// <summary>Physical bytes per token of a sequence of 2,048 tokens.</summary>
    public double BytesPerToken2K { get; init; }

    /// <summary>Share of tokens whose most likely successor is that of the lossless run.</summary>
    public double Top1Agreement { get; init; }

    /// <summary>Bytes of the codebooks this rung needs, once for all sessions; null: it needs none, or they were not counted.</summary>
    public long? CodebookBytes { get; init; }
}
