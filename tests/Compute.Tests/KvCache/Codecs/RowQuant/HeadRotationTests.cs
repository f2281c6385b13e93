using System.Text.Json;
using System.Text.Json.Nodes;
using Concertina.Compute.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>Random signs and a Hadamard matrix.</summary>
public sealed class HeadRotationTests
{
    [Fact]
    public void Rotated_rows_are_those_of_the_reference_bit_by_bit()
    {
        RowGolden golden = new("common", "hadamard.json");
        JsonArray inputs = golden.Inputs["cases"]!.AsArray();
        JsonArray expected = golden.Expected["cases"]!.AsArray();
        for (int i = 0; i < inputs.Count; i++)
        {
            int headDim = inputs[i]!["d"]!.GetValue<int>();
            float[] signs = HeadRotation.SignsOf(inputs[i]!["seed"]!.GetValue<uint>(), headDim);
            float[] x = RowGolden.Floats(inputs[i]!["x"]!);
            float[] y = RowGolden.Patterns(expected[i]!["y_bits"]!);
            Assert.Equal(RowGolden.Integers(expected[i]!["signs"]!), signs.Select(sign => (int)sign));
            Assert.Equal(expected[i]!["block"]!.GetValue<int>(), HeadRotation.Block(headDim));
            for (int row = 0; row < x.Length; row += headDim)
            {
                Span<float> rotated = x.AsSpan(row, headDim);
                float[] before = rotated.ToArray();

                HeadRotation.Forward(rotated, signs);

                Assert.Equal(Bits(y[row..(row + headDim)]), Bits(rotated.ToArray()));
                HeadRotation.Inverse(rotated, signs);
                AssertNear(before, rotated.ToArray(), 1e-5f);
            }
        }
    }

    [Fact]
    public void Hashes_are_those_of_the_reference()
    {
        RowGolden golden = new("common", "hadamard.json");
        uint[] expected = golden.Expected["hash32_of_0_to_15"]!["u32"]!.Deserialize<uint[]>()!;
        Assert.Equal(expected, Enumerable.Range(0, 16).Select(i => HeadRotation.Hash((uint)i)));
        Assert.Equal(golden.Expected["hash32_of_ffffffff"]!.GetValue<uint>(), HeadRotation.Hash(uint.MaxValue));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(48)]
    [InlineData(64)]
    [InlineData(80)]
    [InlineData(96)]
    [InlineData(128)]
    [InlineData(256)]
    public void The_rotation_is_orthogonal(int headDim)
    {
        float[][] rows = [.. Enumerable.Range(0, headDim).Select(channel =>
        {
            float[] unit = new float[headDim];
            unit[channel] = 1f;
            HeadRotation.Forward(unit);
            return unit;
        })];
        for (int a = 0; a < headDim; a++)
        {
            for (int b = 0; b < headDim; b++)
            {
                double dot = rows[a].Zip(rows[b], (x, y) => (double)x * y).Sum();
                Assert.InRange(dot - (a == b ? 1 : 0), -1e-6, 1e-6);
            }
        }
    }

    [Fact]
    public void One_large_channel_is_spread_over_its_block()
    {
        float[] row = new float[64];
        row[17] = 8f;

        HeadRotation.Forward(row);

        Assert.All(row, value => Assert.Equal(1f, MathF.Abs(value), 1e-6f));
    }

    private static void AssertNear(float[] expected, float[] actual, float bound) =>
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second - pair.First, -bound, bound));

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}
