using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>Dot products of rows with the columns of a table, four rows at a time: each lane is one sequential sum.</summary>
internal static unsafe class Projection
{
    /// <summary>Rows of one call.</summary>
    public const int Rows = 4;

    /// <summary>Columns are a multiple of this.</summary>
    public const int Lanes = 16;

    /// <summary>dots[row, column] = sum over i of rows[row, i] * table[i, column].</summary>
    /// <param name="rows">[4, width].</param>
    /// <param name="width">Elements of a row.</param>
    /// <param name="table">[width, columns].</param>
    /// <param name="dots">[4, columns]; its length gives the columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ReadOnlySpan<float> rows, int width, ReadOnlySpan<float> table, Span<float> dots)
    {
        int columns = dots.Length / Rows;
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Length, Rows * width);
        ArgumentOutOfRangeException.ThrowIfLessThan(table.Length, width * columns);
        // Reads end at 4 * width and width * columns, writes at 4 * columns, which the checks above cover.
        fixed (float* row = rows, tables = table, results = dots)
        {
            int column = 0;
            for (; column + (2 * Lanes) <= columns; column += 2 * Lanes)
            {
                Two(row, width, tables + column, results + column, columns);
            }
            if (column < columns)
            {
                One(row, width, tables + column, results + column, columns);
            }
        }
    }

    /// <summary>Sum of squares of a vector of whole lanes.</summary>
    public static float Squared(float* row, int width)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        for (int i = 0; i < width; i += Lanes)
        {
            Vector512<float> x = Vector512.Load(row + i);
            sum = Vector512.FusedMultiplyAdd(x, x, sum);
        }
        return Vector512.Sum(sum);
    }

    /// <summary>The smallest lane.</summary>
    public static float Least(Vector512<float> lanes)
    {
        Vector256<float> eight = Vector256.Min(lanes.GetLower(), lanes.GetUpper());
        Vector128<float> four = Vector128.Min(eight.GetLower(), eight.GetUpper());
        Vector128<float> two = Vector128.Min(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Min(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(float* row, int width, float* table, float* dots, int columns)
    {
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
        for (int i = 0; i < width; i++, table += columns)
        {
            Vector512<float> left = Vector512.Load(table);
            Vector512<float> right = Vector512.Load(table + Lanes);
            Vector512<float> a = Vector512.Create(row[i]);
            a0 = Vector512.FusedMultiplyAdd(a, left, a0);
            a1 = Vector512.FusedMultiplyAdd(a, right, a1);
            Vector512<float> b = Vector512.Create(row[width + i]);
            b0 = Vector512.FusedMultiplyAdd(b, left, b0);
            b1 = Vector512.FusedMultiplyAdd(b, right, b1);
            Vector512<float> c = Vector512.Create(row[(2 * width) + i]);
            c0 = Vector512.FusedMultiplyAdd(c, left, c0);
            c1 = Vector512.FusedMultiplyAdd(c, right, c1);
            Vector512<float> d = Vector512.Create(row[(3 * width) + i]);
            d0 = Vector512.FusedMultiplyAdd(d, left, d0);
            d1 = Vector512.FusedMultiplyAdd(d, right, d1);
        }
        a0.Store(dots);
        a1.Store(dots + Lanes);
        b0.Store(dots + columns);
        b1.Store(dots + columns + Lanes);
        c0.Store(dots + (2 * columns));
        c1.Store(dots + (2 * columns) + Lanes);
        d0.Store(dots + (3 * columns));
        d1.Store(dots + (3 * columns) + Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void One(float* row, int width, float* table, float* dots, int columns)
    {
        Vector512<float> a = Vector512<float>.Zero, b = a, c = a, d = a;
        for (int i = 0; i < width; i++, table += columns)
        {
            Vector512<float> column = Vector512.Load(table);
            a = Vector512.FusedMultiplyAdd(Vector512.Create(row[i]), column, a);
            b = Vector512.FusedMultiplyAdd(Vector512.Create(row[width + i]), column, b);
            c = Vector512.FusedMultiplyAdd(Vector512.Create(row[(2 * width) + i]), column, c);
            d = Vector512.FusedMultiplyAdd(Vector512.Create(row[(3 * width) + i]), column, d);
        }
        a.Store(dots);
        b.Store(dots + columns);
        c.Store(dots + (2 * columns));
        d.Store(dots + (3 * columns));
    }
}
