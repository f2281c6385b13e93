using System.Runtime.CompilerServices;

namespace Concertina.Compute.Kernels.Matrices.Q8;

/// <summary>The definition of the Q8_0 product, in plain arithmetic. Reads paired 16-bit activations.</summary>
internal static unsafe class Q8KernelScalar
{
    /// <summary>Products of a tile with some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in Q8Operands operands, int rowCount, TileOutput output)
    {
        for (int row = 0; row < rowCount; row++)
        {
            for (int lane = 0; lane < PackedMatrix.TileRows; lane++)
            {
                output.Row(row)[lane] = Product(operands, row, lane);
            }
        }
    }

    private static float Product(in Q8Operands operands, int row, int lane)
    {
        short* x = (short*)(operands.Integers + (row * operands.RowBytes));
        float sum = 0;
        for (int block = 0; block < operands.BlockCount; block++)
        {
            byte* start = operands.Tile + ((long)block * Q8Layout.BlockBytes);
            byte* weights = start + Q8Layout.ScaleBytes + (lane * Q8Layout.ChunkColumns);
            int dot = operands.Corrections[(row * operands.BlockCount) + block];
            for (int i = 0; i < Q8Layout.BlockLength; i++)
            {
                byte weight = weights[(i / Q8Layout.ChunkColumns * Q8Layout.ChunkBytes) + (i % Q8Layout.ChunkColumns)];
                dot += weight * x[(block * Q8Layout.BlockLength) + BlockQuantiser.PairedIndex(i)];
            }
            float scale = HalfConversion.ToSingle(((ushort*)start)[lane]) * operands.Scales[(row * operands.BlockCount) + block];
            sum = MathF.FusedMultiplyAdd(dot, scale, sum);
        }
        return sum;
    }
}
