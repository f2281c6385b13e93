using System.Runtime.CompilerServices;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>One lane.</summary>
internal readonly unsafe struct ScalarLanes : ILanes<float>
{
    private const uint HalfInFloat = 0x8FFF_E000;

    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, float value) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Set(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float left, float right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Subtract(float left, float right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Multiply(float left, float right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fma(float left, float right, float addend) => MathF.FusedMultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float left, float right) => left > right ? left : right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp(float value) => VectorExp.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(float value) => value;

    public static float SumByHalves(float* lanes)
    {
        for (int half = 8; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
            {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float KeepBelow(float value, int firstLane, int count, float otherwise) => firstLane < count ? value : otherwise;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalves(uint* words, out float low, out float high)
    {
        low = HalfConversion.ToSingle((ushort)*words);
        high = HalfConversion.ToSingle((ushort)(*words >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadHalvesScaledDown(uint* words, out float low, out float high)
    {
        int pair = (int)*words;
        low = BitConverter.Int32BitsToSingle(((pair << 16) >> 3) & unchecked((int)HalfInFloat));
        high = BitConverter.Int32BitsToSingle((pair >> 3) & unchecked((int)HalfInFloat));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Field(float words, int shift, uint mask) =>
        BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(words) >> shift) & mask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAddPairs(float sum, float left, float right)
    {
        int a = BitConverter.SingleToInt32Bits(left);
        int b = BitConverter.SingleToInt32Bits(right);
        return BitConverter.Int32BitsToSingle(
            BitConverter.SingleToInt32Bits(sum) + ((short)a * (short)b) + ((a >> 16) * (b >> 16)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToPairs(float low, float high) => BitConverter.UInt32BitsToSingle(
        (BitConverter.SingleToUInt32Bits(low) & 0xFFFF) | (BitConverter.SingleToUInt32Bits(high) << 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToFloats(float integers) => BitConverter.SingleToInt32Bits(integers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToIntegers(float value) => BitConverter.Int32BitsToSingle((int)MathF.Round(value));
}
