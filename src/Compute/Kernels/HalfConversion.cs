using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.Kernels;

/// <summary>
/// IEEE 754 binary16 to binary32 and back, vectorised, because the runtime exposes no conversion instruction. Widening is
/// exact for every input, subnormals, infinities and NaN included. Narrowing rounds to nearest, ties to even; what is too
/// large becomes infinity, NaN becomes a quiet NaN of the same sign. All paths give the same bits.
/// </summary>
public static class HalfConversion
{
    private const uint Sign16 = 0x8000;
    private const uint Magnitude16 = 0x7FFF;
    private const uint InfinityWidened = 0x7C00 << 13;
    private const uint Infinity32 = 0x7F80_0000;
    private const float Rebias = 5.192296858534828e33f;           // 2^112
    private const uint Overflow = (127 + 16) << 23;               // 65536
    private const uint SmallestNormal = (127 - 14) << 23;         // 2^-14
    private const uint SubnormalMagic = (127 - 15 + 23 - 10 + 1) << 23;
    private const uint RoundingBias = unchecked((uint)((15 - 127) << 23)) + 0xFFF;

    /// <summary>Widens one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort half)
    {
        uint magnitude = (half & Magnitude16) << 13;
        uint bits = magnitude >= InfinityWidened
            ? magnitude | Infinity32
            : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude) * Rebias);
        return BitConverter.UInt32BitsToSingle(bits | ((half & Sign16) << 16));
    }

    /// <summary>Widens 8 elements held as zero-extended 32-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<uint> halves)
    {
        Vector256<uint> magnitude = (halves & Vector256.Create(Magnitude16)) << 13;
        Vector256<uint> sign = (halves & Vector256.Create(Sign16)) << 16;
        Vector256<uint> finite = (magnitude.AsSingle() * Vector256.Create(Rebias)).AsUInt32();
        // Signed comparison: magnitudes stay below 2^28.
        Vector256<uint> special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)InfinityWidened - 1)).AsUInt32();
        return (Vector256.ConditionalSelect(special, magnitude | Vector256.Create(Infinity32), finite) | sign).AsSingle();
    }

    /// <summary>Widens 16 elements held as zero-extended 32-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> halves)
    {
        Vector512<uint> magnitude = (halves & Vector512.Create(Magnitude16)) << 13;
        Vector512<uint> sign = (halves & Vector512.Create(Sign16)) << 16;
        Vector512<uint> finite = (magnitude.AsSingle() * Vector512.Create(Rebias)).AsUInt32();
        Vector512<uint> special = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create((int)InfinityWidened - 1)).AsUInt32();
        return (Vector512.ConditionalSelect(special, magnitude | Vector512.Create(Infinity32), finite) | sign).AsSingle();
    }

    /// <summary>Narrows one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToHalf(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint sign = (bits >> 16) & Sign16;
        uint magnitude = bits & 0x7FFF_FFFF;
        uint half;
        if (magnitude >= Overflow)
        {
            half = magnitude > Infinity32 ? 0x7E00u : 0x7C00u;
        }
        else if (magnitude < SmallestNormal)
        {
            float shifted = BitConverter.UInt32BitsToSingle(magnitude) + BitConverter.UInt32BitsToSingle(SubnormalMagic);
            half = BitConverter.SingleToUInt32Bits(shifted) - SubnormalMagic;
        }
        else
        {
            half = (magnitude + RoundingBias + ((magnitude >> 13) & 1)) >> 13;
        }
        return (ushort)(half | sign);
    }

    /// <summary>Narrows 8 elements into the low halves of 32-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> ToHalf(Vector256<float> values)
    {
        Vector256<uint> bits = values.AsUInt32();
        Vector256<uint> sign = (bits >> 16) & Vector256.Create(Sign16);
        Vector256<uint> magnitude = bits & Vector256.Create(0x7FFF_FFFFu);
        Vector256<uint> normal = (magnitude + Vector256.Create(RoundingBias) + ((magnitude >> 13) & Vector256<uint>.One)) >> 13;
        Vector256<uint> magic = Vector256.Create(SubnormalMagic);
        Vector256<uint> subnormal = (magnitude.AsSingle() + magic.AsSingle()).AsUInt32() - magic;
        Vector256<uint> nan = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)Infinity32)).AsUInt32();
        Vector256<uint> special = Vector256.Create(0x7C00u) | (nan & Vector256.Create(0x0200u));
        Vector256<uint> isSmall = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)SmallestNormal)).AsUInt32();
        Vector256<uint> isLarge = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)Overflow - 1)).AsUInt32();
        Vector256<uint> half = Vector256.ConditionalSelect(isSmall, subnormal, normal);
        return Vector256.ConditionalSelect(isLarge, special, half) | sign;
    }

    /// <summary>Narrows 16 elements into the low halves of 32-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ToHalf(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> sign = (bits >> 16) & Vector512.Create(Sign16);
        Vector512<uint> magnitude = bits & Vector512.Create(0x7FFF_FFFFu);
        Vector512<uint> normal = (magnitude + Vector512.Create(RoundingBias) + ((magnitude >> 13) & Vector512<uint>.One)) >> 13;
        Vector512<uint> magic = Vector512.Create(SubnormalMagic);
        Vector512<uint> subnormal = (magnitude.AsSingle() + magic.AsSingle()).AsUInt32() - magic;
        Vector512<uint> nan = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create((int)Infinity32)).AsUInt32();
        Vector512<uint> special = Vector512.Create(0x7C00u) | (nan & Vector512.Create(0x0200u));
        Vector512<uint> isSmall = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create((int)SmallestNormal)).AsUInt32();
        Vector512<uint> isLarge = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create((int)Overflow - 1)).AsUInt32();
        Vector512<uint> half = Vector512.ConditionalSelect(isSmall, subnormal, normal);
        return Vector512.ConditionalSelect(isLarge, special, half) | sign;
    }

    /// <summary>Widens a span.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    public static void ToSingle(ReadOnlySpan<Half> source, Span<float> destination) =>
        ToSingle(MemoryMarshal.Cast<Half, ushort>(source), destination);

    /// <summary>Widens a span of binary16 bit patterns.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToSingle(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        RequireRoom(source.Length, destination.Length);
        ref ushort from = ref MemoryMarshal.GetReference(source);
        ref float to = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        // Every load and store below starts at i with i + width <= source.Length <= destination.Length.
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= source.Length; i += 16)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
                ToSingle(Vector512.Create(low, high)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= source.Length; i += 8)
            {
                (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, (nuint)i));
                ToSingle(Vector256.Create(low, high)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i < source.Length; i++)
        {
            destination[i] = ToSingle(source[i]);
        }
    }

    /// <summary>Narrows a span to binary16 bit patterns.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than the source.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToHalf(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        RequireRoom(source.Length, destination.Length);
        ref float from = ref MemoryMarshal.GetReference(source);
        ref ushort to = ref MemoryMarshal.GetReference(destination);
        int i = 0;
        // Bounds as in ToSingle.
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i + 16 <= source.Length; i += 16)
            {
                Vector512<uint> half = ToHalf(Vector512.LoadUnsafe(ref from, (nuint)i));
                Vector256.Narrow(half.GetLower(), half.GetUpper()).StoreUnsafe(ref to, (nuint)i);
            }
        }
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i + 8 <= source.Length; i += 8)
            {
                Vector256<uint> half = ToHalf(Vector256.LoadUnsafe(ref from, (nuint)i));
                Vector128.Narrow(half.GetLower(), half.GetUpper()).StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i < source.Length; i++)
        {
            destination[i] = ToHalf(source[i]);
        }
    }

    private static void RequireRoom(int source, int destination)
    {
        if (destination < source)
        {
            throw new ArgumentException($"The destination has {destination} elements, the source {source}.", nameof(destination));
        }
    }
}
