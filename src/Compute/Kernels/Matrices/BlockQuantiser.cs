using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels.Matrices;

/// <summary>
/// Quantises a block of 32 activations: scale = largest magnitude / 127, integers = value * (127 / largest magnitude)
/// rounded to nearest even. The largest magnitude is found on the bit patterns, so order does not matter and infinities
/// and NaN are seen; they make the scale NaN. All paths give the same bits.
/// </summary>
internal static unsafe class BlockQuantiser
{
    private const int Length = ActivationRows.BlockLength;
    private const uint SmallestMagnitude = 0x0D80_0000; // 2^-100; below it 127 / magnitude would overflow, and the block counts as 0
    private const uint Infinity = 0x7F80_0000;
    private const byte EvenThenOdd = 0b11_01_10_00;     // words 0, 2, 1, 3

    /// <summary>Quantises a block on the widest path of the machine.</summary>
    /// <param name="source">32 values.</param>
    /// <param name="form">Form to write.</param>
    /// <param name="target">Room for 32 integers of the form.</param>
    /// <returns>The scale, and -128 times the sum of the integers.</returns>
    public static (float Scale, int Correction) Quantise(float* source, ActivationForm form, byte* target) =>
        Avx512BW.IsSupported ? Quantise512(source, form, target)
        : Avx2.IsSupported ? Quantise256(source, form, target)
        : QuantiseScalar(source, form, target);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (float Scale, int Correction) QuantiseScalar(float* source, ActivationForm form, byte* target)
    {
        uint magnitude = 0;
        for (int i = 0; i < Length; i++)
        {
            magnitude = Math.Max(magnitude, BitConverter.SingleToUInt32Bits(source[i]) & 0x7FFF_FFFF);
        }
        (float scale, float inverse) = ScaleOf(magnitude);
        int sum = 0;
        for (int i = 0; i < Length; i++)
        {
            int q = inverse == 0 ? 0 : (int)MathF.Round(source[i] * inverse);
            sum += q;
            if (form == ActivationForm.Int8)
            {
                ((sbyte*)target)[i] = (sbyte)q;
            }
            else
            {
                ((short*)target)[PairedIndex(i)] = (short)q;
            }
        }
        return (scale, -128 * sum);
    }

    /// <summary>Where the paired form stores element i of a block.</summary>
    internal static int PairedIndex(int i) => (i & ~3) | ((i & 1) << 1) | ((i >> 1) & 1);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (float Scale, int Correction) Quantise512(float* source, ActivationForm form, byte* target)
    {
        Vector512<float> low = Vector512.Load(source);
        Vector512<float> high = Vector512.Load(source + 16);
        Vector512<uint> mask = Vector512.Create(0x7FFF_FFFFu);
        Vector512<uint> largest = Vector512.Max(low.AsUInt32() & mask, high.AsUInt32() & mask);
        (float scale, float inverse) = ScaleOf(Largest(Vector256.Max(largest.GetLower(), largest.GetUpper())));
        Vector512<int> a = Vector512<int>.Zero;
        Vector512<int> b = Vector512<int>.Zero;
        if (inverse != 0)
        {
            a = Avx512F.ConvertToVector512Int32(low * Vector512.Create(inverse));   // rounds to nearest even
            b = Avx512F.ConvertToVector512Int32(high * Vector512.Create(inverse));
        }
        if (form == ActivationForm.Int8)
        {
            Avx512F.ConvertToVector128SByte(a).Store((sbyte*)target);
            Avx512F.ConvertToVector128SByte(b).Store((sbyte*)target + 16);
        }
        else
        {
            Pair(Avx512F.ConvertToVector256Int16(a)).Store((short*)target);
            Pair(Avx512F.ConvertToVector256Int16(b)).Store((short*)target + 16);
        }
        return (scale, -128 * Vector512.Sum(a + b));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (float Scale, int Correction) Quantise256(float* source, ActivationForm form, byte* target)
    {
        Vector256<uint> mask = Vector256.Create(0x7FFF_FFFFu);
        Vector256<uint> largest = Vector256<uint>.Zero;
        for (int i = 0; i < Length; i += 8)
        {
            largest = Vector256.Max(largest, Vector256.Load(source + i).AsUInt32() & mask);
        }
        (float scale, float inverse) = ScaleOf(Largest(largest));
        Vector256<int> sum = Vector256<int>.Zero;
        for (int i = 0; i < Length; i += 16)
        {
            Vector256<int> a = Vector256<int>.Zero;
            Vector256<int> b = Vector256<int>.Zero;
            if (inverse != 0)
            {
                a = Avx.ConvertToVector256Int32(Vector256.Load(source + i) * Vector256.Create(inverse));
                b = Avx.ConvertToVector256Int32(Vector256.Load(source + i + 8) * Vector256.Create(inverse));
            }
            sum += a + b;
            Vector256<short> words = Vector256.Narrow(a, b);
            if (form == ActivationForm.Int8)
            {
                Vector128.Narrow(words.GetLower(), words.GetUpper()).Store((sbyte*)target + i);
            }
            else
            {
                Pair(words).Store((short*)target + i);
            }
        }
        return (scale, -128 * Vector256.Sum(sum));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pair(Vector256<short> words) => Avx2.ShuffleHigh(Avx2.ShuffleLow(words, EvenThenOdd), EvenThenOdd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Largest(Vector256<uint> values)
    {
        Vector128<uint> four = Vector128.Max(values.GetLower(), values.GetUpper());
        Vector128<uint> two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2u, 3u, 0u, 1u)));
        return Math.Max(two.ToScalar(), two.GetElement(1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (float Scale, float Inverse) ScaleOf(uint magnitude)
    {
        if (magnitude >= Infinity)
        {
            return (float.NaN, 0);
        }
        float largest = BitConverter.UInt32BitsToSingle(magnitude);
        return magnitude < SmallestMagnitude ? (0, 0) : (largest / 127f, 127f / largest);
    }
}
