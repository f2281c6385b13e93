using System.Runtime.Intrinsics.X86;
using Concertina.Compute.Kernels.Matrices;

namespace Concertina.Compute.Tests.Kernels;

public sealed unsafe class BlockQuantiserTests
{
    private delegate (float Scale, int Correction) Quantiser(float* source, ActivationForm form, byte* target);

    [Fact]
    public void The_256_bit_path_gives_the_bits_of_the_scalar_twin()
    {
        Assert.SkipUnless(Avx2.IsSupported, "this machine has no AVX2");
        Compare(BlockQuantiser.Quantise256);
    }

    [Fact]
    public void The_512_bit_path_gives_the_bits_of_the_scalar_twin()
    {
        Assert.SkipUnless(Avx512BW.IsSupported, "this machine has no AVX-512BW");
        Compare(BlockQuantiser.Quantise512);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_block_that_is_not_finite_has_scale_nan(float poison)
    {
        float* source = stackalloc float[32];
        byte* target = stackalloc byte[64];
        source[17] = poison;
        Assert.True(float.IsNaN(BlockQuantiser.Quantise(source, ActivationForm.Int8, target).Scale));
    }

    [Fact]
    public void Every_element_is_within_half_a_scale()
    {
        Random random = new(8);
        float* source = stackalloc float[32];
        sbyte* target = stackalloc sbyte[32];
        for (int round = 0; round < 2000; round++)
        {
            Fill(source, round, random);
            (float scale, int correction) = BlockQuantiser.Quantise(source, ActivationForm.Int8, (byte*)target);
            int sum = 0;
            for (int i = 0; i < 32; i++)
            {
                sum += target[i];
                Assert.InRange(target[i], (sbyte)-127, (sbyte)127);
                Assert.InRange(Math.Abs((target[i] * (double)scale) - source[i]), 0, Math.Max(scale * 0.50002, 1e-30));
            }
            Assert.Equal(-128 * sum, correction);
        }
    }

    private static void Compare(Quantiser quantiser)
    {
        Random random = new(7);
        float* source = stackalloc float[32];
        byte* expected = stackalloc byte[64];
        byte* actual = stackalloc byte[64];
        for (int round = 0; round < 4000; round++)
        {
            Fill(source, round, random);
            ActivationForm form = round % 2 == 0 ? ActivationForm.Int8 : ActivationForm.Int16Paired;
            Assert.Equal(BlockQuantiser.QuantiseScalar(source, form, expected), quantiser(source, form, actual));
            int bytes = form == ActivationForm.Int8 ? 32 : 64;
            Assert.Equal(new ReadOnlySpan<byte>(expected, bytes), new ReadOnlySpan<byte>(actual, bytes));
        }
    }

    private static void Fill(float* source, int round, Random random)
    {
        // Magnitudes from zero over subnormal to huge, ties included; now and then a value that is not finite is tested apart.
        float size = MathF.Pow(10, (round % 74) - 38);
        for (int i = 0; i < 32; i++)
        {
            source[i] = round % 5 == 0 ? (random.Next(255) - 127) * 0.5f * size : (random.NextSingle() - 0.5f) * size;
        }
        if (round % 11 == 0)
        {
            new Span<float>(source, 32).Clear();
        }
    }
}
