using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// output[row, column] = sum over k, in order, of factors[row, k] * matrix[k, column]: one fused chain per element, so all
/// vector widths and numbers of rows give the same bits.
/// </summary>
internal unsafe struct LatentProduct
{
    private const int InnerBlock = 128;

    /// <summary>[rows, RowStride].</summary>
    public float* Factors;

    public int RowStride;

    /// <summary>[Inner, MatrixStride].</summary>
    public float* Matrix;

    public int MatrixStride;

    /// <summary>Terms of a sum.</summary>
    public int Inner;

    /// <summary>Columns wanted: a multiple of 16.</summary>
    public int Columns;

    /// <summary>[rows, OutputStride].</summary>
    public float* Output;

    public int OutputStride;

    /// <summary>Overwrites the output.</summary>
    public readonly void Set<TL, TV>(int rows)
        where TL : struct, ILanes<TV>
        where TV : struct => Run<TL, TV>(rows, adds: false);

    /// <summary>Adds to the output, which begins the sum.</summary>
    public readonly void Add<TL, TV>(int rows)
        where TL : struct, ILanes<TV>
        where TV : struct => Run<TL, TV>(rows, adds: true);

    private readonly void Run<TL, TV>(int rows, bool adds)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        // Sums go through memory between blocks, which changes no bit, and a block of the matrix stays in the nearest cache.
        LatentProduct block = this;
        for (int first = 0; first < Inner; first += InnerBlock)
        {
            block.Factors = Factors + first;
            block.Matrix = Matrix + ((long)first * MatrixStride);
            block.Inner = Math.Min(InnerBlock, Inner - first);
            block.RunBlock<TL, TV>(rows, adds || first > 0);
        }
    }

    private readonly void RunBlock<TL, TV>(int rows, bool adds)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        int row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            Run<TL, TV, Rows4<TV>>(row, adds);
        }
        switch (rows - row)
        {
            case 3:
                Run<TL, TV, Rows3<TV>>(row, adds);
                break;
            case 2:
                Run<TL, TV, Rows2<TV>>(row, adds);
                break;
            case 1:
                Run<TL, TV, Rows1<TV>>(row, adds);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Run<TL, TV, TRows>(int row, bool adds)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        float* ones = stackalloc float[4] { 1f, 1f, 1f, 1f };
        float* factors = Factors + ((long)row * RowStride);
        float* output = Output + ((long)row * OutputStride);
        int column = 0;
        for (; column + (2 * TL.Width) <= Columns; column += 2 * TL.Width)
        {
            TRows left = adds ? TRows.LoadScaled<TL>(output + column, OutputStride, ones) : default;
            TRows right = adds ? TRows.LoadScaled<TL>(output + column + TL.Width, OutputStride, ones) : default;
            float* line = Matrix + column;
            for (int k = 0; k < Inner; k++, line += MatrixStride)
            {
                TRows.Fma2<TL>(ref left, ref right, factors + k, RowStride, TL.Load(line), TL.Load(line + TL.Width));
            }
            TRows.Store<TL>(left, output + column, OutputStride);
            TRows.Store<TL>(right, output + column + TL.Width, OutputStride);
        }
        if (column < Columns)
        {
            TRows sum = adds ? TRows.LoadScaled<TL>(output + column, OutputStride, ones) : default;
            float* line = Matrix + column;
            for (int k = 0; k < Inner; k++, line += MatrixStride)
            {
                TRows.Fma<TL>(ref sum, factors + k, RowStride, TL.Load(line));
            }
            TRows.Store<TL>(sum, output + column, OutputStride);
        }
    }
}
