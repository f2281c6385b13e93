using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Kernels.Matrices.Q8;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Kernels;

/// <summary>The 8-bit path with its one instruction emulated, so that everything around it is checked on machines without it.</summary>
public sealed unsafe class EmulatedDotTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Bytewise_activations_give_the_bits_of_the_scalar_twin(int rows)
    {
        const int Columns = 160;
        using WeightTensor tensor = TensorFactory.Random(TensorType.Q80, PackedMatrix.TileRows, Columns, seed: 3);
        using Q8Matrix matrix = Q8Matrix.Pack(tensor, KernelPath.Scalar);
        using ActivationRows paired = Activations(rows, Columns, ActivationForm.Int16Paired);
        using ActivationRows bytes = Activations(rows, Columns, ActivationForm.Int8);
        float[] expected = new float[rows * PackedMatrix.TileRows];
        float[] actual = new float[rows * PackedMatrix.TileRows];
        fixed (float* plain = expected)
        fixed (float* emulated = actual)
        {
            matrix.Multiply(paired, new(0, rows), 0, plain, PackedMatrix.TileRows);
            Q8Operands operands = new(matrix.Tile(0), bytes, 0);
            TileOutput output = new(emulated, PackedMatrix.TileRows);
            if (rows == 1)
            {
                Q8Kernel256<EmulatedDot>.Multiply1(operands, output);
            }
            else
            {
                Q8Kernel256<EmulatedDot>.Multiply4(operands, output);
            }
        }
        Assert.Equal(TensorFactory.Bits(expected), TensorFactory.Bits(actual));
    }

    private static ActivationRows Activations(int rows, int columns, ActivationForm form)
    {
        ActivationRows x = new(rows, columns, form);
        TensorFactory.Values(rows * columns, seed: 9).CopyTo(x.Memory.Span);
        for (int row = 0; row < rows; row++)
        {
            x.Quantise(row);
        }
        return x;
    }

    /// <summary>What vpdpbusd is documented to do: each lane adds four products of an unsigned and a signed byte.</summary>
    private readonly struct EmulatedDot : IInt8Dot
    {
        public static int ChunkBytes => 4;

        public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, byte* x)
        {
            Span<int> lanes = stackalloc int[8];
            sum.CopyTo(lanes);
            for (int i = 0; i < 32; i++)
            {
                lanes[i / 4] += weights[i] * ((sbyte*)x)[i % 4];
            }
            return Vector256.Create<int>(lanes);
        }
    }
}
