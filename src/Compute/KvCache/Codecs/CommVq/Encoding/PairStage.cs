using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>
/// One stage, prepared for search: two tables of rows, of which a code picks one each. Keys: Z and iZ. Values with two stages
/// in a byte: both stages. Values of one table: a first table with one row of zeros. Not thread-safe.
/// </summary>
/// <remarks>
/// |t - A[a] - B[b]|^2 = |t|^2 + (|A[a]|^2 - 2 A[a].t) + (|B[b]|^2 - 2 B[b].t) + 2 A[a].B[b]: levels products of whole vectors
/// and levels^2 additions find the nearest pair exactly.
/// </remarks>
internal sealed unsafe class PairStage
{
    private const int Lanes = Projection.Lanes;

    private readonly float[] _first;
    private readonly float[] _second;
    private readonly float[] _columns;
    private readonly float[] _norms;
    private readonly float[] _cross;
    private readonly int _firstPadded;
    private readonly int _secondPadded;

    /// <param name="firstLevels">Rows of the first table.</param>
    /// <param name="secondLevels">Rows of the second.</param>
    /// <param name="width">Floats of a row; a multiple of 16.</param>
    public PairStage(int firstLevels, int secondLevels, int width)
    {
        FirstLevels = firstLevels;
        SecondLevels = secondLevels;
        Width = width;
        _firstPadded = Round(firstLevels);
        _secondPadded = Round(secondLevels);
        _first = new float[_firstPadded * width];
        _second = new float[_secondPadded * width];
        _columns = new float[DotCount * width];
        _norms = new float[DotCount];
        _cross = new float[firstLevels * _secondPadded];
    }

    public int FirstLevels { get; }

    public int SecondLevels { get; }

    public int Width { get; }

    /// <summary>Products of one vector with all rows.</summary>
    public int DotCount => _firstPadded + _secondPadded;

    /// <summary>Squared distances of one vector, [FirstLevels, CostStride].</summary>
    public int CostCount => FirstLevels * _secondPadded;

    /// <summary>Length of a row of costs: SecondLevels up to whole lanes.</summary>
    public int CostStride => _secondPadded;

    /// <summary>Row of the first table.</summary>
    public ReadOnlySpan<float> First(int level) => _first.AsSpan(level * Width, Width);

    /// <summary>Row of the second table.</summary>
    public ReadOnlySpan<float> Second(int level) => _second.AsSpan(level * Width, Width);

    /// <summary>Bytes it keeps.</summary>
    public static long BytesFor(int firstLevels, int secondLevels, int width) =>
        sizeof(float) * ((2L * (Round(firstLevels) + Round(secondLevels)) * width)
            + ((long)firstLevels * Round(secondLevels)) + Round(firstLevels) + Round(secondLevels));

    /// <summary>Takes other tables of the same shape.</summary>
    public void Load(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        first[..(FirstLevels * Width)].CopyTo(_first);
        second[..(SecondLevels * Width)].CopyTo(_second);
        // Lanes without a row cost infinity, which is never the smallest.
        _norms.AsSpan().Fill(float.PositiveInfinity);
        Transpose(_first, FirstLevels, 0);
        Transpose(_second, SecondLevels, _firstPadded);
        Span<float> dots = stackalloc float[Projection.Rows * DotCount];
        for (int level = 0; level < FirstLevels; level += Projection.Rows)
        {
            Projection.Run(_first.AsSpan(level * Width), Width, _columns, dots);
            for (int row = 0; row < Projection.Rows && level + row < FirstLevels; row++)
            {
                for (int other = 0; other < SecondLevels; other++)
                {
                    _cross[((level + row) * _secondPadded) + other] = 2 * dots[(row * DotCount) + _firstPadded + other];
                }
            }
        }
    }

    /// <summary>Products of four vectors with all rows, [4, DotCount].</summary>
    public void Project(ReadOnlySpan<float> rows, Span<float> dots) => Projection.Run(rows, Width, _columns, dots[..(Projection.Rows * DotCount)]);

    /// <summary>The nearest pair as a * SecondLevels + b; of equal distances the lowest.</summary>
    /// <param name="dots">Products of the vector.</param>
    /// <param name="squared">|t|^2.</param>
    /// <param name="cost">Squared distance.</param>
    public int Nearest(ReadOnlySpan<float> dots, float squared, out float cost)
    {
        var smallest = Vector512.Create(float.PositiveInfinity);
        Vector512<int> index = Vector512<int>.Zero;
        // Dots have DotCount elements, the cross table FirstLevels rows of whole lanes.
        fixed (float* dot = dots, norm = _norms, cross = _cross)
        {
            for (int lane = 0; lane < _secondPadded; lane += Lanes)
            {
                Vector512<float> second = SecondCost(dot, norm, lane);
                for (int level = 0; level < FirstLevels; level++)
                {
                    Vector512<float> costs = FirstCost(dot, norm, squared, level) + second + Vector512.Load(cross + (level * _secondPadded) + lane);
                    Vector512<float> less = Vector512.LessThan(costs, smallest);
                    smallest = Vector512.ConditionalSelect(less, costs, smallest);
                    index = Vector512.ConditionalSelect(less.AsInt32(), Vector512.Create((level * SecondLevels) + lane) + Vector512<int>.Indices, index);
                }
            }
        }
        return Lowest(smallest, index, out cost);
    }

    /// <summary>All squared distances of a vector, infinity where there is no row; they may lie below 0 by a rounding.</summary>
    public void Costs(ReadOnlySpan<float> dots, float squared, Span<float> costs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(costs.Length, CostCount);
        fixed (float* dot = dots, norm = _norms, cross = _cross, cost = costs)
        {
            for (int lane = 0; lane < _secondPadded; lane += Lanes)
            {
                Vector512<float> second = SecondCost(dot, norm, lane);
                for (int level = 0; level < FirstLevels; level++)
                {
                    int at = (level * _secondPadded) + lane;
                    (FirstCost(dot, norm, squared, level) + second + Vector512.Load(cross + at)).Store(cost + at);
                }
            }
        }
    }

    /// <summary>Offers all pairs of a parent, in the order of their codes, to the best candidates so far.</summary>
    public void Offer(ReadOnlySpan<float> dots, float squared, int rank, BeamCandidates best)
    {
        fixed (float* dot = dots, norm = _norms, cross = _cross)
        {
            for (int level = 0; level < FirstLevels; level++)
            {
                Vector512<float> first = FirstCost(dot, norm, squared, level);
                for (int lane = 0; lane < _secondPadded; lane += Lanes)
                {
                    Vector512<float> costs = first + SecondCost(dot, norm, lane) + Vector512.Load(cross + (level * _secondPadded) + lane);
                    ulong below = Vector512.LessThan(costs, Vector512.Create(best.Bound)).ExtractMostSignificantBits();
                    while (below != 0)
                    {
                        int b = System.Numerics.BitOperations.TrailingZeroCount(below);
                        below &= below - 1;
                        best.Offer(costs[b], rank, (level * SecondLevels) + lane + b);
                    }
                }
            }
        }
    }

    /// <summary>to = from - A[a] - B[b].</summary>
    /// <returns>|to|^2.</returns>
    public float Subtract(ReadOnlySpan<float> from, int code, Span<float> to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from.Length, Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(to.Length, Width);
        fixed (float* source = from, target = to, a = First(code / SecondLevels), b = Second(code % SecondLevels))
        {
            for (int i = 0; i < Width; i += Lanes)
            {
                (Vector512.Load(source + i) - Vector512.Load(a + i) - Vector512.Load(b + i)).Store(target + i);
            }
            return Projection.Squared(target, Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FirstCost(float* dot, float* norm, float squared, int level) =>
        Vector512.Create(squared + (norm[level] - (2 * dot[level])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> SecondCost(float* dot, float* norm, int lane) =>
        Vector512.Load(norm + _firstPadded + lane) - (Vector512.Create(2f) * Vector512.Load(dot + _firstPadded + lane));

    private static int Lowest(Vector512<float> smallest, Vector512<int> index, out float cost)
    {
        cost = float.PositiveInfinity;
        int code = 0;
        for (int lane = 0; lane < Lanes; lane++)
        {
            if (smallest[lane] < cost || (smallest[lane] == cost && index[lane] < code))
            {
                cost = smallest[lane];
                code = index[lane];
            }
        }
        return code;
    }

    // Rows to columns, and their squared norms; padding rows are zero and keep a norm of infinity.
    private void Transpose(float[] rows, int levels, int column)
    {
        // Padded levels and the width are multiples of 16, so blocks of 8 stay inside both arrays.
        fixed (float* row = rows, columns = _columns)
        {
            for (int level = 0; level < Round(levels); level += Transposition.Block)
            {
                for (int i = 0; i < Width; i += Transposition.Block)
                {
                    Transposition.Run(row + (level * Width) + i, Width, columns + (i * DotCount) + column + level, DotCount);
                }
            }
            for (int level = 0; level < levels; level++)
            {
                _norms[column + level] = Projection.Squared(row + (level * Width), Width);
            }
        }
    }

    private static int Round(int count) => (count + Lanes - 1) / Lanes * Lanes;
}
