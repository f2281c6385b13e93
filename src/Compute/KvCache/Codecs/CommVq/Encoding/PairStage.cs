using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
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

    private readonly PinnedTable _first;
    private readonly PinnedTable _second;
    private readonly PinnedTable _columns;
    private readonly PinnedTable _norms;
    private readonly PinnedTable _cross;
    private readonly int _firstPadded;
    private readonly int _secondPadded;
    private readonly int _strideShift;

    /// <param name="firstLevels">Rows of the first table.</param>
    /// <param name="secondLevels">Rows of the second.</param>
    /// <param name="width">Floats of a row; a multiple of 16.</param>
    public PairStage(int firstLevels, int secondLevels, int width)
    {
        FirstLevels = firstLevels;
        SecondLevels = secondLevels;
        Width = width;
        _firstPadded = Round(firstLevels);
        _secondPadded = (int)BitOperations.RoundUpToPowerOf2((uint)Round(secondLevels));
        _strideShift = BitOperations.Log2((uint)_secondPadded);
        _first = new PinnedTable(_firstPadded * width);
        _second = new PinnedTable(_secondPadded * width);
        _columns = new PinnedTable(DotCount * width);
        _norms = new PinnedTable(DotCount);
        _cross = new PinnedTable(firstLevels * _secondPadded);
    }

    public int FirstLevels { get; }

    public int SecondLevels { get; }

    public int Width { get; }

    /// <summary>Products of one vector with all rows.</summary>
    public int DotCount => _firstPadded + _secondPadded;

    /// <summary>Squared distances of one vector, [FirstLevels, SecondLevels up to a power of two of whole lanes].</summary>
    public int CostCount => FirstLevels * _secondPadded;

    /// <summary>Code of the pair whose distance stands at an index of the costs.</summary>
    public int CodeOf(int cost) => ((cost >> _strideShift) * SecondLevels) + (cost & ((1 << _strideShift) - 1));

    /// <summary>Row of the first table.</summary>
    public ReadOnlySpan<float> First(int level) => _first.Slice(level * Width, Width);

    /// <summary>Row of the second table.</summary>
    public ReadOnlySpan<float> Second(int level) => _second.Slice(level * Width, Width);

    /// <summary>Bytes of a beam's products and costs with such a stage.</summary>
    public static long SearchBytes(int firstLevels, int secondLevels, int beam)
    {
        int second = (int)BitOperations.RoundUpToPowerOf2((uint)Round(secondLevels));
        return BeamEncoder.StageBytes(beam, Round(firstLevels) + second, firstLevels * second);
    }

    /// <summary>Bytes it keeps.</summary>
    public static long BytesFor(int firstLevels, int secondLevels, int width) =>
        sizeof(float) * ((2L * (Round(firstLevels) + Round(secondLevels)) * width)
            + ((long)firstLevels * Round(secondLevels)) + Round(firstLevels) + Round(secondLevels));

    /// <summary>Takes other tables of the same shape.</summary>
    public void Load(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        first[..(FirstLevels * Width)].CopyTo(_first.Span);
        second[..(SecondLevels * Width)].CopyTo(_second.Span);
        // Lanes without a row cost infinity, which is never the smallest.
        _norms.Span.Fill(float.PositiveInfinity);
        Transpose(_first, FirstLevels, 0);
        Transpose(_second, SecondLevels, _firstPadded);
        Span<float> dots = stackalloc float[Projection.Rows * DotCount];
        for (int level = 0; level < FirstLevels; level += Projection.Rows)
        {
            Projection.Run(_first.Slice(level * Width, Projection.Rows * Width), Width, _columns.Span, dots);
            for (int row = 0; row < Projection.Rows && level + row < FirstLevels; row++)
            {
                for (int other = 0; other < SecondLevels; other++)
                {
                    _cross.Pointer[((level + row) * _secondPadded) + other] = 2 * dots[(row * DotCount) + _firstPadded + other];
                }
            }
        }
    }

    /// <summary>Products of four vectors with all rows, [4, DotCount].</summary>
    public void Project(ReadOnlySpan<float> rows, Span<float> dots) => Projection.Run(rows, Width, _columns.Span, dots[..(Projection.Rows * DotCount)]);

    /// <summary>The nearest pair as a * SecondLevels + b; of equal distances the lowest.</summary>
    /// <param name="dots">Products of the vector.</param>
    /// <param name="squared">|t|^2.</param>
    /// <param name="cost">Squared distance.</param>
    public int Nearest(ReadOnlySpan<float> dots, float squared, out float cost)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dots.Length, DotCount);
        var smallest = Vector512.Create(float.PositiveInfinity);
        Vector512<int> index = Vector512<int>.Zero;
        float* firsts = stackalloc float[_firstPadded];
        // Dots and norms have DotCount elements, the cross table FirstLevels rows of whole lanes.
        fixed (float* dot = dots)
        {
            float* norm = _norms.Pointer;
            float* cross = _cross.Pointer;
            FirstCosts(dot, norm, squared, firsts);
            for (int lane = 0; lane < _secondPadded; lane += Lanes)
            {
                Vector512<float> second = SecondCost(dot, norm, lane);
                Vector512<int> code = Vector512.Create(lane) + Vector512<int>.Indices;
                for (int level = 0; level < FirstLevels; level++)
                {
                    Vector512<float> costs = Vector512.Create(firsts[level]) + second + Vector512.Load(cross + (level * _secondPadded) + lane);
                    Vector512<float> less = Vector512.LessThan(costs, smallest);
                    smallest = Vector512.Min(costs, smallest);
                    index = Vector512.ConditionalSelect(less.AsInt32(), code, index);
                    code += Vector512.Create(SecondLevels);
                }
            }
        }
        return Lowest(smallest, index, out cost);
    }

    /// <summary>All squared distances of a vector, infinity where there is no row; they may lie below 0 by a rounding.</summary>
    /// <returns>The smallest of each lane.</returns>
    public Vector512<float> Costs(ReadOnlySpan<float> dots, float squared, Span<float> costs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dots.Length, DotCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(costs.Length, CostCount);
        var smallest = Vector512.Create(float.PositiveInfinity);
        float* firsts = stackalloc float[_firstPadded];
        fixed (float* dot = dots, cost = costs)
        {
            float* norm = _norms.Pointer;
            float* cross = _cross.Pointer;
            FirstCosts(dot, norm, squared, firsts);
            for (int lane = 0; lane < _secondPadded; lane += Lanes)
            {
                Vector512<float> second = SecondCost(dot, norm, lane);
                for (int level = 0; level < FirstLevels; level++)
                {
                    int at = (level * _secondPadded) + lane;
                    Vector512<float> sum = Vector512.Create(firsts[level]) + second + Vector512.Load(cross + at);
                    sum.Store(cost + at);
                    smallest = Vector512.Min(smallest, sum);
                }
            }
        }
        return smallest;
    }

    /// <summary>to = from - A[a] - B[b].</summary>
    /// <returns>|to|^2.</returns>
    public float Subtract(ReadOnlySpan<float> from, int code, Span<float> to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from.Length, Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(to.Length, Width);
        float* a = _first.Pointer + (code / SecondLevels * Width);
        float* b = _second.Pointer + (code % SecondLevels * Width);
        fixed (float* source = from, target = to)
        {
            for (int i = 0; i < Width; i += Lanes)
            {
                (Vector512.Load(source + i) - Vector512.Load(a + i) - Vector512.Load(b + i)).Store(target + i);
            }
            return Projection.Squared(target, Width);
        }
    }

    // |t|^2 + |A[a]|^2 - 2 A[a].t
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FirstCosts(float* dot, float* norm, float squared, float* target)
    {
        for (int level = 0; level < _firstPadded; level += Lanes)
        {
            Vector512<float> own = Vector512.Load(norm + level) - (Vector512.Create(2f) * Vector512.Load(dot + level));
            (Vector512.Create(squared) + own).Store(target + level);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> SecondCost(float* dot, float* norm, int lane) =>
        Vector512.Load(norm + _firstPadded + lane) - (Vector512.Create(2f) * Vector512.Load(dot + _firstPadded + lane));

    private static int Lowest(Vector512<float> smallest, Vector512<int> index, out float cost)
    {
        cost = Projection.Least(smallest);
        int code = int.MaxValue;
        ulong equal = Vector512.Equals(smallest, Vector512.Create(cost)).ExtractMostSignificantBits();
        for (; equal != 0; equal &= equal - 1)
        {
            code = Math.Min(code, index.GetElement(BitOperations.TrailingZeroCount(equal)));
        }
        return code;
    }

    // Rows to columns, and their squared norms; padding rows are zero and keep a norm of infinity.
    private void Transpose(PinnedTable rows, int levels, int column)
    {
        // Padded levels and the width are multiples of 16, so blocks of 8 stay inside both tables.
        for (int level = 0; level < Round(levels); level += Transposition.Block)
        {
            for (int i = 0; i < Width; i += Transposition.Block)
            {
                Transposition.Run(rows.Pointer + (level * Width) + i, Width, _columns.Pointer + (i * DotCount) + column + level, DotCount);
            }
        }
        for (int level = 0; level < levels; level++)
        {
            _norms.Pointer[column + level] = Projection.Squared(rows.Pointer + (level * Width), Width);
        }
    }

    private static int Round(int count) => (count + Lanes - 1) / Lanes * Lanes;
}
