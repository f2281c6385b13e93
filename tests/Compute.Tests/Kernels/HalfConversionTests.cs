using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Tests.Kernels;

public sealed class HalfConversionTests
{
    [Fact]
    public void Widening_is_exact_for_all_65536_patterns()
    {
        ushort[] patterns = AllPatterns();
        float[] widened = new float[patterns.Length];
        HalfConversion.ToSingle(patterns, widened);
        for (int i = 0; i < patterns.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(patterns[i]);
            AssertSame(expected, widened[i], $"pattern {i:X4}");
            AssertSame(expected, HalfConversion.ToSingle(patterns[i]), $"pattern {i:X4}, scalar");
        }
    }

    [Fact]
    public void Narrowing_inverts_widening_for_all_65536_patterns()
    {
        float[] widened = new float[65536];
        ushort[] narrowed = new ushort[65536];
        HalfConversion.ToSingle(AllPatterns(), widened);
        HalfConversion.ToHalf(widened, narrowed);
        for (int i = 0; i < narrowed.Length; i++)
        {
            if (!float.IsNaN(widened[i]))
            {
                Assert.Equal(i, narrowed[i]);
            }
        }
    }

    [Fact]
    public void Narrowing_rounds_to_nearest_even_at_every_midpoint_and_beside_it()
    {
        for (int i = 0; i < 0x7BFF; i++)
        {
            float low = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            float high = (float)BitConverter.UInt16BitsToHalf((ushort)(i + 1));
            float middle = (low + high) / 2;
            ushort even = (ushort)(i + (i & 1));
            Check(middle, even);
            Check(MathF.BitDecrement(middle), (ushort)i);
            Check(MathF.BitIncrement(middle), (ushort)(i + 1));
        }
        Check(65519.996f, 0x7BFF);
        Check(65520f, 0x7C00);
        Check(float.MaxValue, 0x7C00);
        Check(float.PositiveInfinity, 0x7C00);
        Check(float.Epsilon, 0);
    }

    [Fact]
    public void Narrowing_matches_the_scalar_twin_on_random_bits_at_every_length()
    {
        Random random = new(11);
        for (int length = 0; length < 70; length++)
        {
            float[] source = new float[length];
            for (int i = 0; i < length; i++)
            {
                source[i] = BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32));
            }
            ushort[] narrowed = new ushort[length];
            HalfConversion.ToHalf(source, narrowed);
            for (int i = 0; i < length; i++)
            {
                Assert.Equal(HalfConversion.ToHalf(source[i]), narrowed[i]);
            }
        }
    }

    [Fact]
    public void Widening_matches_the_scalar_twin_at_every_length()
    {
        ushort[] patterns = AllPatterns();
        new Random(5).Shuffle(patterns);
        for (int length = 0; length < 70; length++)
        {
            float[] widened = new float[length];
            HalfConversion.ToSingle(patterns.AsSpan(length * 70, length), widened);
            for (int i = 0; i < length; i++)
            {
                AssertSame(HalfConversion.ToSingle(patterns[(length * 70) + i]), widened[i], $"length {length}");
            }
        }
    }

    [Fact]
    public void A_destination_that_is_too_short_is_refused()
    {
        Assert.Throws<ArgumentException>(() => HalfConversion.ToSingle(new ushort[4], new float[3]));
        Assert.Throws<ArgumentException>(() => HalfConversion.ToHalf(new float[4], new ushort[3]));
    }

    private static void Check(float value, ushort expected)
    {
        Assert.Equal(expected, HalfConversion.ToHalf(value));
        Assert.Equal(expected | 0x8000, HalfConversion.ToHalf(-value));
        Assert.Equal(Vector256.Create((uint)expected), HalfConversion.ToHalf(Vector256.Create(value)));
        Assert.Equal(Vector512.Create((uint)expected), HalfConversion.ToHalf(Vector512.Create(value)));
    }

    private static ushort[] AllPatterns() => [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];

    private static void AssertSame(float expected, float actual, string where)
    {
        bool same = float.IsNaN(expected)
            ? float.IsNaN(actual)
            : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual);
        Assert.True(same, $"{where}: expected {expected:R}, got {actual:R}");
    }
}
