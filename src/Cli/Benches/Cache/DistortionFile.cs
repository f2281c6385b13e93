namespace Concertina.Cli.Benches.Cache;

/// <summary>What <c>concertina bench distortion</c> found.</summary>
internal sealed record DistortionFile
{
    /// <summary>The command line.</summary>
    public required string Command { get; init; }

    /// <summary>Commit of the binary.</summary>
    public string Commit { get; init; } = Machine.Commit;

    /// <summary>Processor, cores, memory.</summary>
    public string Hardware { get; init; } = Machine.Hardware;

    /// <summary>.NET runtime and operating system.</summary>
    public string Runtime { get; init; } = Machine.Runtime;

    /// <summary>Model.</summary>
    public required string Model { get; init; }

    /// <summary>Tokens of each text, and how many at its end were compared.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens at the end of each text that were compared.</summary>
    public required int ComparedTokens { get; init; }

    /// <summary>Texts that each plan was run on.</summary>
    public required int Texts { get; init; }

    /// <summary>Power of the rule that was fitted to the first half of the plans.</summary>
    public required double FittedPower { get; init; }

    /// <summary>Its decay: a column that is n columns old weighs n to the minus this.</summary>
    public required double FittedDecay { get; init; }

    /// <summary>Its scale.</summary>
    public required double FittedScale { get; init; }

    /// <summary>The fitted rule on the other half.</summary>
    public required DistortionFit Fitted { get; init; }

    /// <summary>The rule that sessions are judged by, on the same half.</summary>
    public required DistortionFit Used { get; init; }

    /// <summary>The plans; the first half is what was fitted to.</summary>
    public required IReadOnlyList<DistortionEntry> Plans { get; init; }
}

/// <summary>How well a rule predicts plans it was not fitted to.</summary>
/// <param name="Plans">Plans.</param>
/// <param name="RankCorrelation">Spearman's rank correlation of predicted and measured divergence.</param>
/// <param name="Large">Plans whose measured divergence is at least 3e-3 nats per token.</param>
/// <param name="WorstFactor">Of those, the largest factor between predicted and measured.</param>
internal sealed record DistortionFit(int Plans, double RankCorrelation, int Large, double WorstFactor);

/// <summary>One plan.</summary>
/// <param name="History">Rungs, each with the tokens up to which the sequence grew on it.</param>
/// <param name="Shares">Share of the units on each rung while it was compared.</param>
/// <param name="Measured">Measured mean divergence, nats per token.</param>
/// <param name="Fitted">Predicted by the fitted rule.</param>
/// <param name="Used">Predicted by the rule that sessions are judged by.</param>
internal sealed record DistortionEntry(string History, IReadOnlyDictionary<string, double> Shares, double Measured, double Fitted, double Used);
