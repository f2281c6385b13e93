using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>16 lanes. Loads and stores stay inside the caller's buffers; see the kernels.</summary>
internal readonly unsafe struct Lanes16 : ILanes<Vector512<float>>
{
    private const uint HalfInFloat = 0x8FFF_E000;
    private const float SmallestHalf = 5.9604644775390625e-8f; // 2^-24

    public static int Width => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector512<float> value) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Set(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> left, Vector512<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> value) => VectorExp.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> value) =>
        Lanes8.Largest(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumByHalves(float* lanes)
    {
        Vector512<float> all = Vector512.Load(lanes);
        return Lanes8.SumByHalves(all.GetLower() + all.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> KeepBelow(Vector512<float> value, int firstLane, int count, float otherwise) =>
        Vector512.ConditionalSelect(
            Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count - firstLane)).AsSingle(), value, Vector512.Create(otherwise));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalves(uint* words, out Vector512<float> low, out Vector512<float> high)
    {
        Vector512<uint> pair = Vector512.Load(words);
        low = Widen(pair & Vector512.Create(0xFFFFu));
        high = Widen(pair >> 16);
    }

    // The sign stays on top, the other 15 bits move to where a float keeps exponent and fraction: a half of exponent e
    // reads as a float of exponent e - 112, subnormals included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalvesScaledDown(uint* words, out Vector512<float> low, out Vector512<float> high)
    {
        Vector512<int> pair = Vector512.Load((int*)words);
        Vector512<int> mask = Vector512.Create(unchecked((int)HalfInFloat));
        low = (((pair << 16) >> 3) & mask).AsSingle();
        high = ((pair >> 3) & mask).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Field(Vector512<float> words, int shift, uint mask) =>
        ((words.AsUInt32() >> shift) & Vector512.Create(mask)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAddPairs(Vector512<float> sum, Vector512<float> left, Vector512<float> right) =>
        (sum.AsInt32() + Avx512BW.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16())).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToPairs(Vector512<float> low, Vector512<float> high) =>
        ((low.AsUInt32() & Vector512.Create(0xFFFFu)) | (high.AsUInt32() << 16)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloats(Vector512<float> integers) => Vector512.ConvertToSingle(integers.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToIntegers(Vector512<float> value) => Avx512F.ConvertToVector512Int32(value).AsSingle();

    // As HalfConversion, but subnormal halves are converted as integers: to multiply a subnormal float, as is done there,
    // takes some processors a hundred cycles, and scales of small values are such halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector512<uint> halves)
    {
        Vector512<uint> magnitude = halves & Vector512.Create(0x7FFFu);
        Vector512<uint> sign = (halves & Vector512.Create(0x8000u)) << 16;
        Vector512<uint> subnormal = (Vector512.ConvertToSingle(magnitude.AsInt32()) * Vector512.Create(SmallestHalf)).AsUInt32();
        Vector512<uint> shifted = magnitude << 13;
        Vector512<uint> special = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create(0x7BFF)).AsUInt32();
        Vector512<uint> isSmall = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create(0x0400)).AsUInt32();
        Vector512<uint> normal = shifted + Vector512.Create(112u << 23) + (special & Vector512.Create(112u << 23));
        return (Vector512.ConditionalSelect(isSmall, subnormal, normal) | sign).AsSingle();
    }
}
