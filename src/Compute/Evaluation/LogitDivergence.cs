namespace Concertina.Compute.Evaluation;

/// <summary>Divergence of two rows of logits, in binary64.</summary>
public static class LogitDivergence
{
    /// <summary>ln of the sum of e^logit.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        double maximum = float.NegativeInfinity;
        foreach (float logit in logits)
        {
            maximum = Math.Max(maximum, logit);
        }
        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - maximum);
        }
        return maximum + Math.Log(sum);
    }

    /// <summary>Kullback-Leibler divergence of softmax(q) from softmax(p): sum of p (ln p - ln q), in nats; never below 0.</summary>
    /// <param name="p">Logits of the reference.</param>
    /// <param name="q">Logits of the other, of the same length.</param>
    /// <returns>NaN when a logit is NaN.</returns>
    public static double Kl(ReadOnlySpan<float> p, ReadOnlySpan<float> q)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(q.Length, p.Length);
        double pNorm = LogSumExp(p);
        double qNorm = LogSumExp(q);
        double sum = 0;
        for (int i = 0; i < p.Length; i++)
        {
            double logP = p[i] - pNorm;
            sum += Math.Exp(logP) * (logP - (q[i] - qNorm));
        }
        return sum < 0 ? 0 : sum; // rounding alone can make it negative
    }

    /// <summary>-ln of the probability of one token.</summary>
    public static double NegativeLogLikelihood(ReadOnlySpan<float> logits, int token) => LogSumExp(logits) - logits[token];

    /// <summary>Index of the largest logit, the first of several.</summary>
    public static int Argmax(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
