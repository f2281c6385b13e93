using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels.Elementwise;

/// <summary>
/// RMSNorm: y = x / sqrt(mean(x^2) + epsilon) * weight. The sum of squares runs in 16 lanes (element i goes to lane
/// i mod 16, by fused multiply-add) that are folded in halves at the end, on every path, so that all give the same bits.
/// </summary>
internal static class RmsNorm
{
    private const int Lanes = 16;

    /// <summary>Normalises one row. Source and destination may be the same memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(ReadOnlySpan<float> source, ReadOnlySpan<float> weight, float epsilon, Span<float> destination)
    {
        float scale = 1f / MathF.Sqrt((SumOfSquares(source) / source.Length) + epsilon);
        ref float from = ref MemoryMarshal.GetReference(source);
        ref float by = ref MemoryMarshal.GetReference(weight[..source.Length]);
        ref float to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        int i = 0;
        // Loads and stores start at i with i + width <= source.Length, the length of all three.
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256<float> factor = Vector256.Create(scale);
            for (; i + 8 <= source.Length; i += 8)
            {
                (Vector256.LoadUnsafe(ref from, (nuint)i) * factor * Vector256.LoadUnsafe(ref by, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i < source.Length; i++)
        {
            destination[i] = source[i] * scale * weight[i];
        }
    }

    /// <summary>Sum of squares on the widest path of the machine.</summary>
    public static float SumOfSquares(ReadOnlySpan<float> source) =>
        Vector512.IsHardwareAccelerated ? SumOfSquares512(source)
        : Vector256.IsHardwareAccelerated ? SumOfSquares256(source)
        : SumOfSquaresScalar(source);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float SumOfSquares512(ReadOnlySpan<float> source)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        Vector512<float> sum = Vector512<float>.Zero;
        int i = 0;
        for (; i + Lanes <= source.Length; i += Lanes)
        {
            Vector512<float> x = Vector512.LoadUnsafe(ref from, (nuint)i);
            sum = Vector512.FusedMultiplyAdd(x, x, sum);
        }
        Span<float> lanes = stackalloc float[Lanes];
        sum.CopyTo(lanes);
        return FoldWithRest(lanes, source[i..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float SumOfSquares256(ReadOnlySpan<float> source)
    {
        ref float from = ref MemoryMarshal.GetReference(source);
        Vector256<float> low = Vector256<float>.Zero;
        Vector256<float> high = Vector256<float>.Zero;
        int i = 0;
        for (; i + Lanes <= source.Length; i += Lanes)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref from, (nuint)i);
            Vector256<float> y = Vector256.LoadUnsafe(ref from, (nuint)i + 8);
            low = Vector256.FusedMultiplyAdd(x, x, low);
            high = Vector256.FusedMultiplyAdd(y, y, high);
        }
        Span<float> lanes = stackalloc float[Lanes];
        low.CopyTo(lanes);
        high.CopyTo(lanes[8..]);
        return FoldWithRest(lanes, source[i..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static float SumOfSquaresScalar(ReadOnlySpan<float> source)
    {
        Span<float> lanes = stackalloc float[Lanes];
        lanes.Clear();
        int whole = source.Length / Lanes * Lanes;
        for (int i = 0; i < whole; i++)
        {
            lanes[i % Lanes] = MathF.FusedMultiplyAdd(source[i], source[i], lanes[i % Lanes]);
        }
        return FoldWithRest(lanes, source[whole..]);
    }

    private static float FoldWithRest(Span<float> lanes, ReadOnlySpan<float> rest)
    {
        for (int i = 0; i < rest.Length; i++)
        {
            lanes[i] = MathF.FusedMultiplyAdd(rest[i], rest[i], lanes[i]);
        }
        for (int width = Lanes / 2; width > 0; width /= 2)
        {
            for (int i = 0; i < width; i++)
            {
                lanes[i] += lanes[i + width];
            }
        }
        return lanes[0];
    }
}
