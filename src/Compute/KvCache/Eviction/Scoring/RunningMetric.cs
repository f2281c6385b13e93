using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// The metric kept up to date during decode (continual compression, section 4.3, equation 20): every new query adds the
/// squares of its attention, summed over the group, without a pool. A page writes squares against its own maximum before
/// the final log-sum-exp is known; a factor per page corrects them. An alternative to the observation ring that costs four
/// bytes per slot; the engine keeps the ring.
/// </summary>
internal static class RunningMetric
{
    /// <summary>Squares of a page's weights against the page's own maximum.</summary>
    /// <param name="scores">Scores of one query row.</param>
    /// <param name="squares">Receives exp(score - maximum) squared.</param>
    /// <returns>The page's maximum.</returns>
    public static float Squares(ReadOnlySpan<float> scores, Span<float> squares)
    {
        float maximum = float.NegativeInfinity;
        foreach (float score in scores)
        {
            maximum = MathF.Max(maximum, score);
        }
        for (int slot = 0; slot < scores.Length; slot++)
        {
            float weight = VectorExp.Exp(scores[slot] - maximum);
            squares[slot] = weight * weight;
        }
        return maximum;
    }

    /// <summary>Adds a page's squares once the row's log-sum-exp over all pages is known.</summary>
    /// <param name="squares">From <see cref="Squares"/>.</param>
    /// <param name="pageMaximum">The page's maximum.</param>
    /// <param name="logSumExp">Over all pages.</param>
    /// <param name="running">Metric of the page's slots; new slots start at 0.</param>
    public static void Add(ReadOnlySpan<float> squares, float pageMaximum, float logSumExp, Span<float> running)
    {
        float factor = VectorExp.Exp(2f * (pageMaximum - logSumExp));
        for (int slot = 0; slot < squares.Length; slot++)
        {
            running[slot] = MathF.FusedMultiplyAdd(squares[slot], factor, running[slot]);
        }
    }
}
