using System.Runtime.CompilerServices;

namespace Concertina.Compute.Kernels.Matrices.Dense;

/// <summary>The definition of the dense product, in plain arithmetic.</summary>
/// <typeparam name="TWeights">Format of the weights.</typeparam>
internal static unsafe class DenseKernelScalar<TWeights>
    where TWeights : struct, IDenseWeights
{
    /// <summary>Products of a tile with some rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in DenseOperands operands, int rowCount, TileOutput output)
    {
        for (int row = 0; row < rowCount; row++)
        {
            float* x = operands.X + ((long)row * operands.Columns);
            for (int lane = 0; lane < PackedMatrix.TileRows; lane++)
            {
                byte* weights = operands.Tile + (lane * TWeights.ByteCount);
                float sum = 0;
                for (int column = 0; column < operands.Columns; column++)
                {
                    sum = MathF.FusedMultiplyAdd(TWeights.Load(weights), x[column], sum);
                    weights += PackedMatrix.TileRows * TWeights.ByteCount;
                }
                output.Row(row)[lane] = sum;
            }
        }
    }
}
