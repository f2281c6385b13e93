using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>The dense product with 256-bit vectors, 16 output rows at a time, one or four rows of activations.</summary>
/// <typeparam name="TWeights">Format of the weights.</typeparam>
internal static unsafe class DenseKernel256<TWeights>
    where TWeights : struct, IDenseWeights
{
    private const int VectorRows = 8;
    private const int PairRows = 2 * VectorRows;

    /// <summary>A tile times one row. The weights end after columns * 32, the activations after columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(in DenseOperands operands, TileOutput output)
    {
        byte* weights = operands.Tile;
        Vector256<float> a = Vector256<float>.Zero, b = a, c = a, d = a;
        for (float* x = operands.X, end = x + operands.Columns; x < end; x++)
        {
            Vector256<float> activation = Vector256.Create(*x);
            a = Vector256.FusedMultiplyAdd(TWeights.Load256(weights), activation, a);
            b = Vector256.FusedMultiplyAdd(TWeights.Load256(weights + (VectorRows * TWeights.ByteCount)), activation, b);
            c = Vector256.FusedMultiplyAdd(TWeights.Load256(weights + (2 * VectorRows * TWeights.ByteCount)), activation, c);
            d = Vector256.FusedMultiplyAdd(TWeights.Load256(weights + (3 * VectorRows * TWeights.ByteCount)), activation, d);
            weights += PackedMatrix.TileRows * TWeights.ByteCount;
        }
        Store(output.Row(0), a, b);
        Store(output.Row(0) + PairRows, c, d);
    }

    /// <summary>A tile times four rows, which share the loads and widenings of the weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in DenseOperands operands, TileOutput output)
    {
        for (int rows = 0; rows < PackedMatrix.TileRows; rows += PairRows)
        {
            MultiplyPair(operands, rows, output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPair(in DenseOperands operands, int rows, TileOutput output)
    {
        byte* weights = operands.Tile + (rows * TWeights.ByteCount);
        int columns = operands.Columns;
        float* x0 = operands.X;
        float* x1 = x0 + columns;
        float* x2 = x1 + columns;
        float* x3 = x2 + columns;
        Vector256<float> a0 = Vector256<float>.Zero, a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (int column = 0; column < columns; column++)
        {
            Vector256<float> low = TWeights.Load256(weights);
            Vector256<float> high = TWeights.Load256(weights + (VectorRows * TWeights.ByteCount));
            Vector256<float> activation = Vector256.Create(x0[column]);
            a0 = Vector256.FusedMultiplyAdd(low, activation, a0);
            b0 = Vector256.FusedMultiplyAdd(high, activation, b0);
            activation = Vector256.Create(x1[column]);
            a1 = Vector256.FusedMultiplyAdd(low, activation, a1);
            b1 = Vector256.FusedMultiplyAdd(high, activation, b1);
            activation = Vector256.Create(x2[column]);
            a2 = Vector256.FusedMultiplyAdd(low, activation, a2);
            b2 = Vector256.FusedMultiplyAdd(high, activation, b2);
            activation = Vector256.Create(x3[column]);
            a3 = Vector256.FusedMultiplyAdd(low, activation, a3);
            b3 = Vector256.FusedMultiplyAdd(high, activation, b3);
            weights += PackedMatrix.TileRows * TWeights.ByteCount;
        }
        Store(output.Row(0) + rows, a0, b0);
        Store(output.Row(1) + rows, a1, b1);
        Store(output.Row(2) + rows, a2, b2);
        Store(output.Row(3) + rows, a3, b3);
    }

    private static void Store(float* target, Vector256<float> low, Vector256<float> high)
    {
        low.Store(target);
        high.Store(target + VectorRows);
    }
}
