using System.Numerics;
using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>
/// The E step of one stage: every vector belongs to its nearest pair (hard), or to all pairs with the weights
/// softmax(-distance / temperature) of plain, not squared, distances (soft). Not thread-safe.
/// </summary>
internal sealed class PairExpectation
{
    private const int Block = 512;
    private const float Negligible = 12f;   // e^-12 = 6e-6
    private const float SmallestShare = 1e-6f;

    private readonly PairStage _stage;
    private readonly float[] _dots;
    private readonly float[] _costs;
    private readonly int[] _pairs;
    private readonly float[] _weights;
    private readonly float[] _firstShares;
    private readonly float[] _secondShares;

    public PairExpectation(PairStage stage)
    {
        _stage = stage;
        _dots = new float[Projection.Rows * stage.DotCount];
        _costs = new float[stage.CostCount];
        _pairs = new int[stage.CostCount];
        _weights = new float[stage.CostCount];
        _firstShares = new float[stage.FirstLevels];
        _secondShares = new float[stage.SecondLevels];
    }

    /// <summary>One pass over the vectors, which must be measured; also finds nearest pairs and their loss.</summary>
    /// <param name="vectors">Vectors.</param>
    /// <param name="temperature">0 for hard.</param>
    /// <param name="sums">Receives the sums.</param>
    public void Run(TrainingVectors vectors, float temperature, PairSums sums)
    {
        sums.Clear();
        for (int start = 0; start < vectors.Count; start += Block)
        {
            int end = Math.Min(start + Block, vectors.Count);
            for (int row = start; row < end; row += Projection.Rows)
            {
                _stage.Project(vectors.Rows(row), _dots);
                for (int vector = row; vector < Math.Min(end, row + Projection.Rows); vector++)
                {
                    ReadOnlySpan<float> dots = _dots.AsSpan((vector - row) * _stage.DotCount, _stage.DotCount);
                    int code = _stage.Nearest(dots, vectors.Squared[vector], out float cost);
                    vectors.Codes[vector] = code;
                    vectors.Costs[vector] = cost;
                    sums.Loss += Math.Max(cost, 0f);
                    if (temperature > 0)
                    {
                        int count = Weigh(dots, vectors.Squared[vector], cost, temperature);
                        AddSoft(vectors.Row(vector), count, sums);
                    }
                    else
                    {
                        sums.Counts[code]++;
                        sums.AddFirst(code / _stage.SecondLevels, vectors.Row(vector), 1f);
                        sums.AddSecond(code % _stage.SecondLevels, vectors.Row(vector), 1f);
                    }
                }
            }
            sums.Flush();
        }
    }

    /// <summary>Weights of the pairs of one vector, by code; those below 6e-6 of the largest are 0.</summary>
    public void Weights(ReadOnlySpan<float> dots, float squared, float temperature, Span<float> weights)
    {
        weights.Clear();
        _stage.Nearest(dots, squared, out float cost);
        int count = Weigh(dots, squared, cost, temperature);
        for (int i = 0; i < count; i++)
        {
            weights[_pairs[i]] = _weights[i];
        }
    }

    private int Weigh(ReadOnlySpan<float> dots, float squared, float cost, float temperature)
    {
        _stage.Costs(dots, squared, _costs);
        // Selected by squared distance, so that roots are drawn of few.
        float nearest = MathF.Sqrt(Math.Max(cost, 0f));
        float reach = nearest + (Negligible * temperature);
        Vector512<float> limit = Vector512.Create(Math.Max(reach * reach, cost));
        int count = 0;
        float total = 0;
        for (int i = 0; i < _costs.Length; i += Projection.Lanes)
        {
            ulong near = Vector512.LessThanOrEqual(Vector512.Create(_costs.AsSpan(i, Projection.Lanes)), limit).ExtractMostSignificantBits();
            for (; near != 0; near &= near - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(near);
                _pairs[count] = _stage.CodeOf(at);
                _weights[count] = VectorExp.Exp((nearest - MathF.Sqrt(Math.Max(_costs[at], 0f))) / temperature);
                total += _weights[count++];
            }
        }
        for (int i = 0; i < count; i++)
        {
            _weights[i] /= total;
        }
        return count;
    }

    private void AddSoft(ReadOnlySpan<float> vector, int count, PairSums sums)
    {
        _firstShares.AsSpan().Clear();
        _secondShares.AsSpan().Clear();
        for (int i = 0; i < count; i++)
        {
            sums.Counts[_pairs[i]] += _weights[i];
            _firstShares[_pairs[i] / _stage.SecondLevels] += _weights[i];
            _secondShares[_pairs[i] % _stage.SecondLevels] += _weights[i];
        }
        for (int level = 0; level < _firstShares.Length; level++)
        {
            if (_firstShares[level] > SmallestShare)
            {
                sums.AddFirst(level, vector, _firstShares[level]);
            }
        }
        for (int level = 0; level < _secondShares.Length; level++)
        {
            if (_secondShares[level] > SmallestShare)
            {
                sums.AddSecond(level, vector, _secondShares[level]);
            }
        }
    }
}
