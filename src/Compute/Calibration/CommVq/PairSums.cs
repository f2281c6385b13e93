using System.Runtime.Intrinsics;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>
/// What one pass over the vectors gathers for the next tables: weights of the pairs, and weighted sums of the vectors by first
/// and by second index. Blocks are summed in binary32, all blocks in binary64.
/// </summary>
internal sealed class PairSums
{
    private readonly int _width;
    private readonly float[] _firstBlock;
    private readonly float[] _secondBlock;

    public PairSums(PairTables tables)
    {
        _width = tables.Width;
        SecondLevels = tables.SecondLevels;
        Counts = new double[tables.FirstLevels * tables.SecondLevels];
        First = new double[tables.First.Length];
        Second = new double[tables.Second.Length];
        _firstBlock = new float[First.Length];
        _secondBlock = new float[Second.Length];
    }

    public int SecondLevels { get; }

    /// <summary>N, [first levels, second levels].</summary>
    public double[] Counts { get; }

    /// <summary>Sum over the vectors of p(a) t, [first levels, width].</summary>
    public double[] First { get; }

    /// <summary>Sum over the vectors of p(b) t, [second levels, width].</summary>
    public double[] Second { get; }

    /// <summary>Squared distances to the nearest pair, summed over the vectors.</summary>
    public double Loss { get; set; }

    public void Clear()
    {
        Counts.AsSpan().Clear();
        First.AsSpan().Clear();
        Second.AsSpan().Clear();
        Loss = 0;
    }

    public void AddFirst(int level, ReadOnlySpan<float> vector, float weight) => Add(_firstBlock.AsSpan(level * _width, _width), vector, weight);

    public void AddSecond(int level, ReadOnlySpan<float> vector, float weight) => Add(_secondBlock.AsSpan(level * _width, _width), vector, weight);

    /// <summary>Ends a block.</summary>
    public void Flush()
    {
        Flush(_firstBlock, First);
        Flush(_secondBlock, Second);
    }

    /// <summary>Weight of each row of the first table.</summary>
    public double FirstWeight(int level) => Weight(level * SecondLevels, 1, SecondLevels);

    /// <summary>Weight of each row of the second table.</summary>
    public double SecondWeight(int level) => Weight(level, SecondLevels, Counts.Length / SecondLevels);

    private double Weight(int from, int step, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += Counts[from + (i * step)];
        }
        return sum;
    }

    private static unsafe void Add(Span<float> sum, ReadOnlySpan<float> vector, float weight)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vector.Length, sum.Length);
        // Both have the width of a row, which is a multiple of 16.
        fixed (float* to = sum, from = vector)
        {
            Vector512<float> factor = Vector512.Create(weight);
            for (int i = 0; i < sum.Length; i += Projection.Lanes)
            {
                Vector512.FusedMultiplyAdd(factor, Vector512.Load(from + i), Vector512.Load(to + i)).Store(to + i);
            }
        }
    }

    private static void Flush(float[] block, double[] total)
    {
        for (int i = 0; i < block.Length; i++)
        {
            total[i] += block[i];
        }
        block.AsSpan().Clear();
    }
}
