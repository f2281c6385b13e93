using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>The dense product with 512-bit vectors: two vectors of output rows, one or four rows of activations.</summary>
/// <typeparam name="TWeights">Format of the weights.</typeparam>
internal static unsafe class DenseKernel512<TWeights>
    where TWeights : struct, IDenseWeights
{
    private const int VectorRows = 16;

    /// <summary>A tile times one row. The weights end after columns * 32, the activations after columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(in DenseOperands operands, TileOutput output)
    {
        byte* weights = operands.Tile;
        Vector512<float> low = Vector512<float>.Zero;
        Vector512<float> high = Vector512<float>.Zero;
        for (float* x = operands.X, end = x + operands.Columns; x < end; x++)
        {
            Vector512<float> activation = Vector512.Create(*x);
            low = Vector512.FusedMultiplyAdd(TWeights.Load512(weights), activation, low);
            high = Vector512.FusedMultiplyAdd(TWeights.Load512(weights + (VectorRows * TWeights.ByteCount)), activation, high);
            weights += PackedMatrix.TileRows * TWeights.ByteCount;
        }
        low.Store(output.Row(0));
        high.Store(output.Row(0) + VectorRows);
    }

    /// <summary>A tile times four rows, which share the loads and widenings of the weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in DenseOperands operands, TileOutput output)
    {
        byte* weights = operands.Tile;
        int columns = operands.Columns;
        float* x0 = operands.X;
        float* x1 = x0 + columns;
        float* x2 = x1 + columns;
        float* x3 = x2 + columns;
        Vector512<float> a0 = Vector512<float>.Zero, a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (int column = 0; column < columns; column++)
        {
            Vector512<float> low = TWeights.Load512(weights);
            Vector512<float> high = TWeights.Load512(weights + (VectorRows * TWeights.ByteCount));
            a0 = Vector512.FusedMultiplyAdd(low, Vector512.Create(x0[column]), a0);
            b0 = Vector512.FusedMultiplyAdd(high, Vector512.Create(x0[column]), b0);
            a1 = Vector512.FusedMultiplyAdd(low, Vector512.Create(x1[column]), a1);
            b1 = Vector512.FusedMultiplyAdd(high, Vector512.Create(x1[column]), b1);
            a2 = Vector512.FusedMultiplyAdd(low, Vector512.Create(x2[column]), a2);
            b2 = Vector512.FusedMultiplyAdd(high, Vector512.Create(x2[column]), b2);
            a3 = Vector512.FusedMultiplyAdd(low, Vector512.Create(x3[column]), a3);
            b3 = Vector512.FusedMultiplyAdd(high, Vector512.Create(x3[column]), b3);
            weights += PackedMatrix.TileRows * TWeights.ByteCount;
        }
        Store(output.Row(0), a0, b0);
        Store(output.Row(1), a1, b1);
        Store(output.Row(2), a2, b2);
        Store(output.Row(3), a3, b3);
    }

    private static void Store(float* target, Vector512<float> low, Vector512<float> high)
    {
        low.Store(target);
        high.Store(target + VectorRows);
    }
}
