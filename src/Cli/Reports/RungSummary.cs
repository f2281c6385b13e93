using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Reports;

/// <summary>One rung over some seeds.</summary>
/// <param name="Name">Name of the rung.</param>
/// <param name="Seeds">What was measured, at least once.</param>
internal sealed record RungSummary(string Name, IReadOnlyList<RungEvaluation> Seeds)
{
    /// <summary>Physical bytes per token of a sequence of 8,192 tokens.</summary>
    public double BytesPerToken => Of(rung => rung.BytesPerToken).Mean;

    /// <summary>Mean divergence from the lossless run, nats per token.</summary>
    public double MeanKl => Of(rung => rung.MeanKl).Mean;

    /// <summary>Bytes of codebooks, once for all sessions; null: none are known.</summary>
    public long? CodebookBytes => Seeds.Max(rung => rung.CodebookBytes);

    /// <summary>A rung measured in another way than sessions use it: another choice of what is evicted, or no window.</summary>
    public bool IsAblation => Name.Contains('~', StringComparison.Ordinal);

    /// <summary>Mean and range of a figure.</summary>
    public Spread Of(Func<RungEvaluation, double> figure) => Spread.Of([.. Seeds.Select(figure)]);
}
