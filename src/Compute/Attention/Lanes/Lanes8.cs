using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>8 lanes. Loads and stores stay inside the caller's buffers; see the kernels.</summary>
internal readonly unsafe struct Lanes8 : ILanes<Vector256<float>>
{
    private const uint HalfInFloat = 0x8FFF_E000;
    private const float SmallestHalf = 5.9604644775390625e-8f; // 2^-24

    public static int Width => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector256<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Set(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> left, Vector256<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fma(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Vector256.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> value) => VectorExp.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> value)
    {
        Vector128<float> four = Vector128.MaxNative(value.GetLower(), value.GetUpper());
        Vector128<float> two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumByHalves(float* lanes) => SumByHalves(Vector256.Load(lanes) + Vector256.Load(lanes + 8));

    /// <summary>The last three halvings.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumByHalves(Vector256<float> eight)
    {
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        Vector128<float> two = four + Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1));
        return (two + Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> KeepBelow(Vector256<float> value, int firstLane, int count, float otherwise) =>
        Vector256.ConditionalSelect(
            Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count - firstLane)).AsSingle(), value, Vector256.Create(otherwise));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalves(uint* words, out Vector256<float> low, out Vector256<float> high)
    {
        Vector256<uint> pair = Vector256.Load(words);
        low = Widen(pair & Vector256.Create(0xFFFFu));
        high = Widen(pair >> 16);
    }

    // The sign stays on top, the other 15 bits move to where a float keeps exponent and fraction: a half of exponent e
    // reads as a float of exponent e - 112, subnormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalvesScaledDown(uint* words, out Vector256<float> low, out Vector256<float> high)
    {
        Vector256<int> pair = Vector256.Load((int*)words);
        Vector256<int> mask = Vector256.Create(unchecked((int)HalfInFloat));
        low = (((pair << 16) >> 3) & mask).AsSingle();
        high = ((pair >> 3) & mask).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Field(Vector256<float> words, int shift, uint mask) =>
        ((words.AsUInt32() >> shift) & Vector256.Create(mask)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAddPairs(Vector256<float> sum, Vector256<float> left, Vector256<float> right) =>
        (sum.AsInt32() + Avx2.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16())).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToPairs(Vector256<float> low, Vector256<float> high) =>
        ((low.AsUInt32() & Vector256.Create(0xFFFFu)) | (high.AsUInt32() << 16)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloats(Vector256<float> integers) => Vector256.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToIntegers(Vector256<float> value) => Avx.ConvertToVector256Int32(value).AsSingle();

    // As HalfConversion, but subnormal halves are converted as integers: to multiply a subnormal float, as is done there,
    // takes some processors a hundred cycles, and scales of small values are such halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(Vector256<uint> halves)
    {
        Vector256<uint> magnitude = halves & Vector256.Create(0x7FFFu);
        Vector256<uint> sign = (halves & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> subnormal = (Vector256.ConvertToSingle(magnitude.AsInt32()) * Vector256.Create(SmallestHalf)).AsUInt32();
        Vector256<uint> shifted = magnitude << 13;
        Vector256<uint> special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create(0x7BFF)).AsUInt32();
        Vector256<uint> isSmall = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(0x0400)).AsUInt32();
        Vector256<uint> normal = shifted + Vector256.Create(112u << 23) + (special & Vector256.Create(112u << 23));
        return (Vector256.ConditionalSelect(isSmall, subnormal, normal) | sign).AsSingle();
    }
}
