using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// The asymmetric quantizer of one group of values. Every step is one rounded 32-bit operation, so codes are the same on
/// every machine:
/// <code>
/// mn = half, rounded down, of the least value
/// s  = half, rounded up, of (largest - mn) / (2^bits - 1)
/// c  = clamp(rint((x - mn) / s), 0, 2^bits - 1), 0 where s = 0            x^ = c * s + mn
/// </code>
/// c * s is exact, so x^ is the same fused or not, and |x - x^| is at most s / 2.
/// </summary>
internal static class RowQuantizer
{
    /// <summary>Scale and minimum of a group that was refused: NaN, so that whoever reads it gets NaN.</summary>
    public const uint NotANumber = 0x7E00_7E00;

    private const ushort SignBit = 0x8000;
    private const ushort InfinityBits = 0x7C00;

    /// <summary>Quantises a group.</summary>
    /// <param name="group">Values, at least one.</param>
    /// <param name="rule">Bits, and the share of the range that the codes cover; with 1 the rule is the one above.</param>
    /// <param name="codes">Written: one code per value.</param>
    /// <param name="halves">Scale s in the low half, minimum mn in the high half.</param>
    /// <returns>False where a value is not finite or scale or minimum leave the range of a half; then both are NaN.</returns>
    public static bool TryQuantise(ReadOnlySpan<float> group, RowRule rule, Span<byte> codes, out uint halves)
    {
        float levels = (1 << rule.Bits) - 1;
        (float least, float largest, float probe) = Bounds(group);
        if (rule.RangeShare != 1f)
        {
            float cut = (largest - least) * ((1f - rule.RangeShare) / 2f);
            least += cut;
            largest -= cut;
        }
        ushort minimum = HalfDown(least);
        float mn = HalfConversion.ToSingle(minimum);
        ushort scale = HalfUp((largest - mn) / levels);
        // The probe is 0 unless a value is infinite or NaN; then so may be anything derived from it.
        bool finite = probe == 0 && !IsSpecial(minimum) && !IsSpecial(scale);
        halves = finite ? scale | ((uint)minimum << 16) : NotANumber;
        if (!finite)
        {
            codes[..group.Length].Clear();
            return false;
        }
        if (scale == 0)
        {
            codes[..group.Length].Clear();
            return true;
        }
        Codes(group, mn, HalfConversion.ToSingle(scale), levels, codes);
        return true;
    }

    /// <summary>The largest half that is not above a value; zero is +0.</summary>
    public static ushort HalfDown(float value)
    {
        ushort half = HalfConversion.ToHalf(value);
        float rounded = HalfConversion.ToSingle(half);
        if (rounded > value)
        {
            half = (half & ~SignBit) == 0 ? (ushort)(SignBit | 1) : (ushort)(half < SignBit ? half - 1 : half + 1);
        }
        return half == SignBit ? (ushort)0 : half;
    }

    /// <summary>The least half that is not below a value; zero is +0.</summary>
    public static ushort HalfUp(float value)
    {
        ushort half = HalfConversion.ToHalf(value);
        float rounded = HalfConversion.ToSingle(half);
        if (rounded < value)
        {
            half = (half & ~SignBit) == 0 ? (ushort)1 : (ushort)(half < SignBit ? half + 1 : half - 1);
        }
        return half == SignBit ? (ushort)0 : half;
    }

    private static bool IsSpecial(ushort half) => (half & InfinityBits) == InfinityBits;

    private static (float Least, float Largest, float Probe) Bounds(ReadOnlySpan<float> group)
    {
        ref float x = ref MemoryMarshal.GetReference(group);
        float least = group[0];
        float largest = group[0];
        float probe = 0;
        int i = 0;
        if (group.Length >= Vector256<float>.Count)
        {
            Vector256<float> low = Vector256.LoadUnsafe(ref x);
            Vector256<float> high = low;
            Vector256<float> sum = Vector256<float>.Zero;
            for (; i + Vector256<float>.Count <= group.Length; i += Vector256<float>.Count)
            {
                Vector256<float> value = Vector256.LoadUnsafe(ref x, (nuint)i);
                low = Vector256.MinNative(low, value);
                high = Vector256.MaxNative(high, value);
                sum += value * Vector256<float>.Zero;
            }
            for (int lane = 0; lane < Vector256<float>.Count; lane++)
            {
                least = MathF.Min(least, low[lane]);
                largest = MathF.Max(largest, high[lane]);
            }
            probe = Vector256.Sum(sum);
        }
        for (; i < group.Length; i++)
        {
            least = MathF.Min(least, group[i]);
            largest = MathF.Max(largest, group[i]);
            probe += group[i] * 0f;
        }
        return (least, largest, probe);
    }

    private static void Codes(ReadOnlySpan<float> group, float mn, float scale, float levels, Span<byte> codes)
    {
        ref float x = ref MemoryMarshal.GetReference(group);
        ref byte code = ref MemoryMarshal.GetReference(codes[..group.Length]);
        int i = 0;
        for (; i + 16 <= group.Length; i += 16)
        {
            Vector256<int> first = Codes(Vector256.LoadUnsafe(ref x, (nuint)i), mn, scale, levels);
            Vector256<int> second = Codes(Vector256.LoadUnsafe(ref x, (nuint)i + 8), mn, scale, levels);
            Vector256<ushort> narrow = Vector256.Narrow(first, second).AsUInt16();
            Vector128.Narrow(narrow.GetLower(), narrow.GetUpper()).StoreUnsafe(ref code, (nuint)i);
        }
        for (; i < group.Length; i++)
        {
            codes[i] = (byte)Math.Clamp(MathF.Round((group[i] - mn) / scale), 0f, levels);
        }
    }

    private static Vector256<int> Codes(Vector256<float> values, float mn, float scale, float levels)
    {
        Vector256<float> rounded = Vector256.Round((values - Vector256.Create(mn)) / Vector256.Create(scale));
        return Vector256.ConvertToInt32Native(
            Vector256.MinNative(Vector256.MaxNative(rounded, Vector256<float>.Zero), Vector256.Create(levels)));
    }
}

/// <summary>How a group is quantised.</summary>
/// <param name="Bits">Bits of a code, 1 to 8.</param>
/// <param name="RangeShare">Share of the range that the codes cover, around its middle.</param>
internal readonly record struct RowRule(int Bits, float RangeShare);
