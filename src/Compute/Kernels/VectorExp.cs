using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels;

/// <summary>
/// e^x in binary32: x = n ln 2 + r with ln 2 in two parts, a polynomial of degree 7 in r, and one final scaling by 2^n.
/// Relative error at most 1.2e-7 where the result is normal; subnormal results are rounded once; below -104 the result is
/// 0, above 88.73 it is infinity, NaN stays NaN. The 16-lane, 8-lane and scalar forms give the same bits.
/// </summary>
public static class VectorExp
{
    private const float Log2E = 1.44269504088896341f;
    private const float NegativeLn2High = -0.693359375f;
    private const float NegativeLn2Low = 2.12194440e-4f;
    private const float LowerBound = -104f;                       // e^-104 rounds to 0
    private const float UpperBound = 89f;                         // e^89 rounds to infinity
    private const float C7 = 1.9875691500e-4f;
    private const float C6 = 1.3981999507e-3f;
    private const float C5 = 8.3334519073e-3f;
    private const float C4 = 4.1665795894e-2f;
    private const float C3 = 1.6666665459e-1f;
    private const float C2 = 5.0000001201e-1f;

    /// <summary>e^x of one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp(float x)
    {
        x = x < LowerBound ? LowerBound : x;
        x = x > UpperBound ? UpperBound : x;
        float n = MathF.Round(x * Log2E);
        float r = MathF.FusedMultiplyAdd(n, NegativeLn2High, x);
        r = MathF.FusedMultiplyAdd(n, NegativeLn2Low, r);
        float p = MathF.FusedMultiplyAdd(C7, r, C6);
        p = MathF.FusedMultiplyAdd(p, r, C5);
        p = MathF.FusedMultiplyAdd(p, r, C4);
        p = MathF.FusedMultiplyAdd(p, r, C3);
        p = MathF.FusedMultiplyAdd(p, r, C2);
        p = MathF.FusedMultiplyAdd(p, r * r, r) + 1f;
        if (float.IsNaN(p))
        {
            return p;
        }
        // Two factors, because 2^n itself may be out of range; only the second product can round.
        int whole = (int)n;
        int half = whole >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(whole - half);
    }

    /// <summary>e^x of 8 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        x = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(LowerBound)), Vector256.Create(LowerBound), x);
        x = Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(UpperBound)), Vector256.Create(UpperBound), x);
        Vector256<float> n = Vector256.Round(x * Vector256.Create(Log2E));
        Vector256<float> r = Vector256.FusedMultiplyAdd(n, Vector256.Create(NegativeLn2High), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(NegativeLn2Low), r);
        Vector256<float> p = Vector256.FusedMultiplyAdd(Vector256.Create(C7), r, Vector256.Create(C6));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(C5));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(C4));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(C3));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(C2));
        p = Vector256.FusedMultiplyAdd(p, r * r, r) + Vector256<float>.One;
        Vector256<int> whole = Vector256.ConvertToInt32(n);
        Vector256<int> half = whole >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(whole - half);
    }

    /// <summary>e^x of 16 elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        if (!Avx512F.IsSupported)
        {
            return Vector512.Create(Exp(x.GetLower()), Exp(x.GetUpper()));
        }
        x = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(LowerBound)), Vector512.Create(LowerBound), x);
        x = Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(UpperBound)), Vector512.Create(UpperBound), x);
        Vector512<float> n = Vector512.Round(x * Vector512.Create(Log2E));
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(NegativeLn2High), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(NegativeLn2Low), r);
        Vector512<float> p = Vector512.FusedMultiplyAdd(Vector512.Create(C7), r, Vector512.Create(C6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C5));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C4));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C3));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(C2));
        p = Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;
        return Avx512F.Scale(p, n); // p * 2^n, rounded once
    }

    /// <summary>e^x of a span; source and destination may be the same memory.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Exp(ReadOnlySpan<float> source, Span<float> destination)
    {
        if (destination.Length < source.Length)
        {
            throw new ArgumentException(
                $"The destination has {destination.Length} elements, the source {source.Length}.", nameof(destination));
        }
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        // Every load and store starts at i with i + width <= source.Length <= destination.Length.
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= source.Length; i += 16)
            {
                Exp(Vector512.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= source.Length; i += 8)
            {
                Exp(Vector256.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i < source.Length; i++)
        {
            destination[i] = Exp(source[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PowerOfTwo(int exponent) => BitConverter.Int32BitsToSingle((exponent + 127) << 23);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowerOfTwo(Vector256<int> exponent) =>
        ((exponent + Vector256.Create(127)) << 23).AsSingle();
}
