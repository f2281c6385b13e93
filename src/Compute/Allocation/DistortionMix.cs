namespace Concertina.Compute.Allocation;

/// <summary>
/// Predicts the distortion of a sequence whose units are on several rungs: a power mean of the distortions of the rungs that only
/// round, weighted by the share of the units on each, where older units count less; and, added to it, the distortions of those
/// that evict, by their shares at any age.
/// </summary>
/// <param name="Power">Power of the mean: 1 adds distortions up, more lets the worst part decide.</param>
/// <param name="Decay">A column that is n columns old and was not evicted from weighs n to the minus this.</param>
/// <param name="Scale">Factor of the whole.</param>
public readonly record struct DistortionMix(double Power, double Decay, double Scale)
{
    private const double LeastPower = 0.3;
    private const double MostPower = 3;
    private const double PowerStep = 0.05;

    /// <summary>Decays that are tried by <see cref="Fit"/>.</summary>
    public static IReadOnlyList<double> Decays { get; } = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];

    /// <summary>
    /// The rule that answers are judged by. <c>concertina bench distortion</c> found power and decay; the scale is 1, so that a
    /// sequence all on one rung has the distortion that the ladder states and floors are compared with.
    /// </summary>
    public static DistortionMix Default { get; } = new(1.45, 0.75, 1);

    /// <summary>Predicted distortion, nats per token.</summary>
    /// <param name="shares">Share of the units on each rung, 0 to 1, by this rule's decay.</param>
    /// <param name="rungs">The rungs.</param>
    public double Predict(ReadOnlySpan<double> shares, ReadOnlySpan<MixedRung> rungs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rungs.Length, shares.Length);
        (double rounded, double evicted) = (0, 0);
        for (int rung = 0; rung < shares.Length; rung++)
        {
            if (rungs[rung].Evicts)
            {
                evicted += shares[rung] * rungs[rung].Distortion;
            }
            else if (shares[rung] > 0 && rungs[rung].Distortion > 0)
            {
                rounded += shares[rung] * Math.Pow(rungs[rung].Distortion, Power);
            }
        }
        return Scale * (evicted + (rounded == 0 ? 0 : Math.Pow(rounded, 1 / Power)));
    }

    /// <summary>Fits all three to measurements by least squares of the logarithms.</summary>
    /// <param name="samples">Shares for each of <see cref="Decays"/>, and what was measured; those of no distortion are passed over.</param>
    /// <param name="rungs">The rungs.</param>
    /// <param name="leastMeasured">Samples that measured less are passed over: what the rule is not judged by must not bend it.</param>
    /// <exception cref="ArgumentException">No sample has both a predicted and a measured distortion.</exception>
    public static DistortionMix Fit(IReadOnlyCollection<(double[][] Shares, double Measured)> samples, MixedRung[] rungs, double leastMeasured = 0)
    {
        ArgumentNullException.ThrowIfNull(samples);
        DistortionMix best = default;
        double least = double.PositiveInfinity;
        for (int decay = 0; decay < Decays.Count; decay++)
        {
            for (double power = LeastPower; power <= MostPower; power += PowerStep)
            {
                var unscaled = new DistortionMix(power, Decays[decay], 1);
                double[] errors = [.. samples
                    .Select(sample => (sample.Measured, Predicted: unscaled.Predict(sample.Shares[decay], rungs)))
                    .Where(pair => pair is { Measured: > 0, Predicted: > 0 } && pair.Measured >= leastMeasured)
                    .Select(pair => Math.Log(pair.Measured / pair.Predicted))];
                if (errors.Length == 0)
                {
                    throw new ArgumentException("No sample has a distortion, so nothing can be fitted.", nameof(samples));
                }
                double mean = errors.Average();
                double spread = errors.Sum(error => (error - mean) * (error - mean));
                if (spread < least)
                {
                    (best, least) = (unscaled with { Scale = Math.Exp(mean) }, spread);
                }
            }
        }
        return best;
    }
}
