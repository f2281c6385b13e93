using Concertina.Compute.Kernels;
using Concertina.Compute.Kernels.Matrices;
using Concertina.Compute.Kernels.Matrices.Q8;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Kernels;

public sealed unsafe class PackedMatrixTests
{
    /// <summary>Every number of rows up to two tiles and a bit, every number of columns a format knows, and one real shape.</summary>
    private static IEnumerable<(int Rows, int Columns)> Shapes(TensorType type)
    {
        int step = type == TensorType.Q80 ? 32 : 1;
        return Enumerable.Range(1, 70).Select(rows => (rows, 64))
            .Concat(Enumerable.Range(1, type == TensorType.Q80 ? 20 : 70).Select(columns => (33, columns * step)))
            .Append((100, 576));
    }

    public static TheoryData<TensorType, KernelPath> Cases()
    {
        TheoryData<TensorType, KernelPath> cases = [];
        foreach (TensorType type in Enum.GetValues<TensorType>())
        {
            foreach (KernelPath path in Enum.GetValues<KernelPath>())
            {
                cases.Add(type, path);
            }
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_path_gives_the_bits_of_the_scalar_twin_at_every_shape_and_batch(TensorType type, KernelPath path)
    {
        SkipUnlessSupported(path);
        foreach ((int rows, int columns) in Shapes(type))
        {
            using WeightTensor tensor = TensorFactory.Random(type, rows, columns, seed: rows + columns);
            for (int batch = 1; batch <= 9; batch++)
            {
                float[] expected = Multiply(tensor, KernelPath.Scalar, batch, first: 0);
                float[] actual = Multiply(tensor, path, batch, first: 0);
                Assert.Equal(TensorFactory.Bits(expected), TensorFactory.Bits(actual));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_row_does_not_depend_on_the_rows_beside_it(TensorType type, KernelPath path)
    {
        SkipUnlessSupported(path);
        const int Rows = 70;
        using WeightTensor tensor = TensorFactory.Random(type, Rows, 128, seed: 1);
        float[] together = Multiply(tensor, path, batch: 13, first: 0);
        for (int row = 0; row < 13; row++)
        {
            float[] alone = Multiply(tensor, path, batch: 1, first: row);
            Assert.Equal(TensorFactory.Bits(alone), TensorFactory.Bits(together.AsSpan(row * Rows, Rows)));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Products_agree_with_binary64(TensorType type, KernelPath path)
    {
        SkipUnlessSupported(path);
        const int Rows = 40;
        const int Columns = 320;
        using WeightTensor tensor = TensorFactory.Random(type, Rows, Columns, seed: 2);
        float[] x = TensorFactory.Values(3 * Columns, seed: 100);
        float[] actual = Multiply(tensor, path, batch: 3, first: 0);
        for (int row = 0; row < 3; row++)
        {
            for (int output = 0; output < Rows; output++)
            {
                double exact = 0;
                double size = 0;
                for (int column = 0; column < Columns; column++)
                {
                    double product = (double)TensorFactory.Element(tensor, output, column) * x[(row * Columns) + column];
                    exact += product;
                    size += product * product;
                }
                // 8-bit activations of blocks with an outlier of 30 have a rounding error of up to 30 / 127 / 2 each.
                double bound = type == TensorType.Q80 ? 0.06 * Math.Sqrt(size) : 1e-5 * Math.Sqrt(size);
                Assert.InRange(actual[(row * Rows) + output], exact - bound, exact + bound);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rows_read_back_are_the_tensor(TensorType type, KernelPath path)
    {
        SkipUnlessSupported(path);
        using WeightTensor tensor = TensorFactory.Random(type, 45, 96, seed: 4);
        using PackedMatrix matrix = PackedMatrix.Pack(tensor, path);
        float[] row = new float[96];
        for (int i = 0; i < 45; i++)
        {
            matrix.ReadRow(i, row);
            for (int column = 0; column < 96; column++)
            {
                Assert.Equal(TensorFactory.Element(tensor, i, column), row[column]);
            }
        }
    }

    [Theory]
    [InlineData(TensorType.Q80)]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    [InlineData(TensorType.F32)]
    public void A_weight_that_is_not_finite_is_refused_with_its_place(TensorType type)
    {
        using WeightTensor tensor = TensorFactory.Random(type, 40, 64, seed: 5);
        byte* element = tensor.Data + (33 * tensor.RowBytes);
        if (type == TensorType.F32)
        {
            *(float*)element = float.NaN;
        }
        else
        {
            *(ushort*)element = type == TensorType.BF16 ? (ushort)0x7F80 : (ushort)0x7C00;
        }
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => PackedMatrix.Pack(tensor, KernelPath.Scalar));
        Assert.Contains("'test', row 33", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_matrix_is_as_large_as_the_tensor_up_to_the_last_tile()
    {
        foreach (TensorType type in Enum.GetValues<TensorType>())
        {
            using WeightTensor tensor = TensorFactory.Random(type, 64, 96, seed: 6);
            using PackedMatrix matrix = PackedMatrix.Pack(tensor, KernelPath.Scalar);
            Assert.Equal(64 * tensor.RowBytes, matrix.ByteCount);
        }
    }

    private static void SkipUnlessSupported(KernelPath path) =>
        Assert.SkipUnless(KernelPaths.IsSupported(path), $"this machine has no {path}");

    private static float[] Multiply(WeightTensor tensor, KernelPath path, int batch, int first)
    {
        using PackedMatrix matrix = PackedMatrix.Pack(tensor, path);
        using ActivationRows x = new(first + batch, tensor.Columns, matrix.TakesQuantised ? Q8Matrix.FormFor(path) : ActivationForm.Float);
        TensorFactory.Values((first + batch) * tensor.Columns, seed: 100).CopyTo(x.Memory.Span);
        for (int row = 0; row < first + batch; row++)
        {
            x.Quantise(row);
        }
        float[] output = new float[batch * tensor.Rows];
        fixed (float* target = output)
        {
            for (int tile = 0; tile < matrix.TileCount; tile++)
            {
                matrix.Multiply(x, new(first, batch), tile, target - (first * tensor.Rows), tensor.Rows);
            }
        }
        return output;
    }
}
