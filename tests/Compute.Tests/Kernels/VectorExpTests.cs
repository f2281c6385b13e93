using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Tests.Kernels;

public sealed class VectorExpTests
{
    [Fact]
    public void Relative_error_is_at_most_1_2e_7_where_the_result_is_normal()
    {
        double worst = 0;
        for (float x = -87.3f; x < 88.7f; x += 1.7e-4f)
        {
            double exact = Math.Exp(x);
            worst = Math.Max(worst, Math.Abs(VectorExp.Exp(x) - exact) / exact);
        }
        Assert.InRange(worst, 0, 1.2e-7);
    }

    [Fact]
    public void Subnormal_results_are_off_by_at_most_one_step()
    {
        for (float x = -104.5f; x < -87.3f; x += 1e-3f)
        {
            Assert.InRange(Math.Abs(VectorExp.Exp(x) - Math.Exp(x)), 0, 1.5e-45);
        }
    }

    [Fact]
    public void Edges_are_exact()
    {
        Assert.Equal(1f, VectorExp.Exp(0f));
        Assert.Equal(1f, VectorExp.Exp(-0f));
        Assert.Equal(0f, VectorExp.Exp(float.NegativeInfinity));
        Assert.Equal(0f, VectorExp.Exp(-200f));
        Assert.Equal(float.PositiveInfinity, VectorExp.Exp(float.PositiveInfinity));
        Assert.Equal(float.PositiveInfinity, VectorExp.Exp(88.73f));
        Assert.True(float.IsFinite(VectorExp.Exp(88.72f)));
        Assert.True(float.IsNaN(VectorExp.Exp(float.NaN)));
    }

    [Fact]
    public void All_widths_give_the_bits_of_the_scalar_twin()
    {
        Random random = new(3);
        float[] edges =
        [
            0f, -0f, float.NegativeInfinity, float.PositiveInfinity, float.NaN, -104f, -103.97f, -87.34f, 88.72f, 88.73f,
            89f, float.Epsilon, -float.Epsilon, float.MinValue, float.MaxValue, 0.34657359f, -0.34657359f,
        ];
        for (int i = 0; i < 400_000; i++)
        {
            float x = i < edges.Length ? edges[i] : (random.NextSingle() * 220f) - 120f;
            int expected = BitConverter.SingleToInt32Bits(VectorExp.Exp(x));
            float narrow = VectorExp.Exp(Vector256.Create(x)).GetElement(i & 7);
            float wide = VectorExp.Exp(Vector512.Create(x)).GetElement(i & 15);
            if (float.IsNaN(x))
            {
                Assert.True(float.IsNaN(narrow) && float.IsNaN(wide));
                continue;
            }
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(narrow));
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(wide));
        }
    }

    [Fact]
    public void Spans_match_the_scalar_twin_at_every_length()
    {
        Random random = new(9);
        for (int length = 0; length < 70; length++)
        {
            float[] source = [.. Enumerable.Range(0, length).Select(_ => -90f * random.NextSingle())];
            float[] result = new float[length];
            VectorExp.Exp(source, result);
            Assert.Equal(source.Select(VectorExp.Exp), result);
        }
    }
}
