using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels.Elementwise;

namespace Concertina.Compute.Tests.Kernels;

public sealed class ElementwiseTests
{
    [Fact]
    public void Sums_of_squares_have_the_bits_of_the_scalar_twin_at_every_length()
    {
        Assert.SkipUnless(Vector512.IsHardwareAccelerated, "this machine has no 512-bit vectors");
        for (int length = 1; length < 200; length++)
        {
            float[] x = TensorFactory.Values(length, length);
            Assert.Equal(RmsNorm.SumOfSquaresScalar(x), RmsNorm.SumOfSquares512(x));
            Assert.Equal(RmsNorm.SumOfSquaresScalar(x), RmsNorm.SumOfSquares256(x));
        }
    }

    [Fact]
    public void Rms_norm_agrees_with_binary64_at_every_length()
    {
        for (int length = 1; length < 100; length++)
        {
            float[] x = TensorFactory.Values(length, length);
            float[] weight = TensorFactory.Values(length, length + 1);
            float[] y = new float[length];
            RmsNorm.Apply(x, weight, 1e-5f, y);
            double scale = 1 / Math.Sqrt(x.Average(v => (double)v * v) + 1e-5);
            for (int i = 0; i < length; i++)
            {
                double exact = x[i] * scale * weight[i];
                Assert.InRange(y[i], exact - (1e-5 * Math.Abs(exact)), exact + (1e-5 * Math.Abs(exact)));
            }
        }
    }

    [Fact]
    public void Swiglu_has_the_bits_of_the_scalar_twin_and_agrees_with_binary64()
    {
        for (int length = 1; length < 70; length++)
        {
            float[] gate = TensorFactory.Values(length, length);
            float[] up = TensorFactory.Values(length, length + 1);
            float[] fast = [.. gate];
            float[] plain = [.. gate];
            SwiGlu.Apply(fast, up);
            SwiGlu.ApplyScalar(plain, up);
            Assert.Equal(TensorFactory.Bits(plain), TensorFactory.Bits(fast));
            for (int i = 0; i < length; i++)
            {
                double exact = gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i];
                Assert.InRange(fast[i], exact - (1e-5 * Math.Abs(exact)) - 1e-30, exact + (1e-5 * Math.Abs(exact)) + 1e-30);
            }
        }
    }

    [Fact]
    public void The_residual_is_added_at_every_length()
    {
        for (int length = 0; length < 50; length++)
        {
            float[] stream = TensorFactory.Values(length, 1);
            float[] branch = TensorFactory.Values(length, 2);
            float[] sum = [.. stream];
            Residual.Add(sum, branch);
            Assert.Equal(stream.Zip(branch, (x, y) => x + y), sum);
        }
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(48, 20)]
    [InlineData(16, 16)]
    [InlineData(32, 6)]
    public void Rotation_is_the_same_in_pieces_as_whole_and_agrees_with_binary64(int headDim, int ropeDim)
    {
        const int Heads = 4;
        const int Position = 5000;
        Rotary rotary = new(ropeDim, 10_000, linearFactor: 2, [], maxRows: 2);
        rotary.SetPosition(1, Position);
        float[] source = TensorFactory.Values(Heads * headDim, 3);
        float[] whole = [.. source];
        rotary.Rotate(1, whole, 0, headDim);
        float[] pieces = [.. source];
        for (int start = 0; start < pieces.Length; start += 32)
        {
            rotary.Rotate(1, pieces.AsSpan(start, Math.Min(32, pieces.Length - start)), start % headDim, headDim);
        }
        Assert.Equal(whole, pieces);
        for (int i = 0; i < whole.Length; i += 2)
        {
            int channel = i % headDim;
            double angle = channel < ropeDim ? Position / 2.0 * Math.Pow(10_000, -(double)channel / ropeDim) : 0;
            double even = (source[i] * Math.Cos(angle)) - (source[i + 1] * Math.Sin(angle));
            double odd = (source[i] * Math.Sin(angle)) + (source[i + 1] * Math.Cos(angle));
            Assert.InRange(whole[i], even - 1e-5, even + 1e-5);
            Assert.InRange(whole[i + 1], odd - 1e-5, odd + 1e-5);
        }
    }
}
