using Concertina.Compute.Kernels;

namespace Concertina.Compute.Engine.Sampling;

/// <summary>
/// Draws the next token. Filters apply in this order, each on what the one before left, renormalised: temperature, top_k,
/// top_p (the token that crosses the share stays), min_p (relative to the most likely token). Because each of them keeps
/// the front of the order of likelihood (<see cref="LogitOrder"/>), the result is one cut; the draw then walks the kept
/// tokens by id until their weights pass the drawn share. Allocates nothing; engine thread only.
/// </summary>
/// <remarks>
/// The order is that of Hugging Face's warpers. The draw is <see cref="Philox4x32"/> of (seed, position). Weights are
/// binary32, sums binary64 in a fixed order, so a row's token depends on nothing but the row.
/// </remarks>
internal sealed class Sampler(int vocabularySize)
{
    private readonly float[] _weights = new float[vocabularySize];
    private readonly ulong[] _keys = new ulong[vocabularySize];

    /// <summary>Draws one token.</summary>
    /// <param name="logits">One row, [vocabulary].</param>
    /// <param name="how">Temperature, filters and seed.</param>
    /// <param name="position">Position of the drawn token in its sequence.</param>
    /// <param name="token">The drawn token.</param>
    /// <returns>False when a logit is not finite; there is no token then.</returns>
    public bool TryDraw(ReadOnlySpan<float> logits, in SamplingSpec how, int position, out int token)
    {
        if (!LogitScan.TryFindBest(logits, out token))
        {
            return false;
        }
        if (how.Temperature > 0 && how.TopK != 1)
        {
            Weigh(logits, logits[token], how.Temperature);
            ulong cut = Cut(logits, how);
            token = Walk(logits, cut, Philox4x32.NextDouble(how.Seed, position));
        }
        return true;
    }

    /// <summary>Probabilities up to a factor: the most likely token has 1.</summary>
    private void Weigh(ReadOnlySpan<float> logits, float highest, float temperature)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            _weights[i] = (logits[i] - highest) / temperature;
        }
        VectorExp.Exp(_weights, _weights);
    }

    /// <summary>Key of the last token that stays.</summary>
    private ulong Cut(ReadOnlySpan<float> logits, in SamplingSpec how)
    {
        bool byRank = how.TopK > 0 && how.TopK < logits.Length;
        if (!byRank && how.TopP >= 1)
        {
            return how.MinP > 0 ? CutByShare(logits, how.MinP) : ulong.MaxValue;
        }
        int count = byRank ? TakeMostLikely(logits, how.TopK) : TakeNucleusCandidates(logits, how.TopP);
        Span<ulong> front = _keys.AsSpan(0, count);
        front.Sort();
        double all = byRank ? Sum(front) : SumAll();
        int kept = how.TopP < 1 ? Nucleus(front, how.TopP * all) : count;
        while (kept > 1 && _weights[LogitOrder.Token(front[kept - 1])] < how.MinP)
        {
            kept--;
        }
        return front[kept - 1];
    }

    /// <summary>The k most likely tokens, unordered: a heap whose root is the least likely of them.</summary>
    private int TakeMostLikely(ReadOnlySpan<float> logits, int k)
    {
        Span<ulong> heap = _keys.AsSpan(0, k);
        for (int i = 0; i < k; i++)
        {
            heap[i] = LogitOrder.Key(logits[i], i);
        }
        for (int i = (k / 2) - 1; i >= 0; i--)
        {
            KeyHeap.SiftDown(heap, i);
        }
        for (int i = k; i < logits.Length; i++)
        {
            ulong key = LogitOrder.Key(logits[i], i);
            if (key < heap[0])
            {
                heap[0] = key;
                KeyHeap.SiftDown(heap, 0);
            }
        }
        return k;
    }

    /// <summary>
    /// Tokens that can be in the nucleus. A token below (1 - p) / V of everything cannot: all such tokens together hold
    /// less than 1 - p, so the nucleus is reached before the first of them.
    /// </summary>
    private int TakeNucleusCandidates(ReadOnlySpan<float> logits, float topP)
    {
        double least = Math.Max(0, 1.0 - topP) * SumAll() / logits.Length * 0.999; // rounding stays on the safe side
        int count = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (_weights[i] >= least)
            {
                _keys[count++] = LogitOrder.Key(logits[i], i);
            }
        }
        return count;
    }

    /// <summary>Length of the shortest front that reaches the wanted weight; at least 1.</summary>
    private int Nucleus(ReadOnlySpan<ulong> front, double wanted)
    {
        double sum = 0;
        for (int i = 0; i < front.Length; i++)
        {
            sum += _weights[LogitOrder.Token(front[i])];
            if (sum >= wanted)
            {
                return i + 1;
            }
        }
        return front.Length;
    }

    private ulong CutByShare(ReadOnlySpan<float> logits, float minP)
    {
        ulong last = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (_weights[i] >= minP)
            {
                last = Math.Max(last, LogitOrder.Key(logits[i], i));
            }
        }
        return last;
    }

    private int Walk(ReadOnlySpan<float> logits, ulong cut, double share)
    {
        double kept = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            kept += LogitOrder.Key(logits[i], i) <= cut ? _weights[i] : 0;
        }
        double target = share * kept;
        double sum = 0;
        int last = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (_weights[i] > 0 && LogitOrder.Key(logits[i], i) <= cut)
            {
                sum += _weights[i];
                last = i;
                if (sum > target)
                {
                    return i;
                }
            }
        }
        return last;
    }

    private double Sum(ReadOnlySpan<ulong> keys)
    {
        double sum = 0;
        foreach (ulong key in keys)
        {
            sum += _weights[LogitOrder.Token(key)];
        }
        return sum;
    }

    private double SumAll()
    {
        double sum = 0;
        foreach (float weight in _weights)
        {
            sum += weight;
        }
        return sum;
    }
}
