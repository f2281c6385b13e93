using System.Numerics;

namespace Concertina.Compute.Engine.Sampling;

/// <summary>One pass over a row of logits: the most likely token, and whether every logit is a finite number.</summary>
internal static class LogitScan
{
    /// <param name="logits">One row, [vocabulary].</param>
    /// <param name="best">The most likely token, ties to the lower id.</param>
    /// <returns>False when a logit is NaN or infinite.</returns>
    public static bool TryFindBest(ReadOnlySpan<float> logits, out int best)
    {
        int width = Vector<float>.Count;
        var highest = new Vector<float>(float.NegativeInfinity);
        Vector<float> sum = Vector<float>.Zero;
        int i = 0;
        for (; i + width <= logits.Length; i += width)
        {
            var lane = new Vector<float>(logits[i..]);
            highest = Vector.Max(highest, lane);
            sum += lane * Vector<float>.Zero; // stays 0 for finite numbers, becomes NaN for all others
        }
        float top = float.NegativeInfinity;
        float rest = Vector.Sum(sum);
        for (int lane = 0; lane < width; lane++)
        {
            top = MathF.Max(top, highest[lane]);
        }
        for (; i < logits.Length; i++)
        {
            top = MathF.Max(top, logits[i]);
            rest += logits[i] * 0f;
        }
        best = rest == 0 ? logits.IndexOf(top) : 0;
        return rest == 0;
    }
}
