using System.Runtime.CompilerServices;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>One row.</summary>
internal unsafe struct Rows1<TV> : IRowTile<Rows1<TV>, TV>
    where TV : struct
{
    private TV _a;

    public static int Rows => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma<TL>(ref Rows1<TV> sum, float* factor, int stride, TV value)
        where TL : struct, ILanes<TV>
    {
        sum._a = TL.Fma(TL.Set(factor[0]), value, sum._a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma2<TL>(
        ref Rows1<TV> left, ref Rows1<TV> right, float* factor, int stride, TV leftValue, TV rightValue)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(factor[0]);
        left._a = TL.Fma(a, leftValue, left._a);
        right._a = TL.Fma(a, rightValue, right._a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs2<TL>(
        ref Rows1<TV> left, ref Rows1<TV> right, uint* factor, int stride, TV leftPairs, TV rightPairs)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(*(float*)factor);
        left._a = TL.MultiplyAddPairs(left._a, a, leftPairs);
        right._a = TL.MultiplyAddPairs(right._a, a, rightPairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows1<TV> LoadScaled<TL>(float* source, int stride, float* factors)
        where TL : struct, ILanes<TV>
    {
        Rows1<TV> value = default;
        value._a = TL.Multiply(TL.Load(source), TL.Set(factors[0]));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TL>(in Rows1<TV> value, float* target, int stride)
        where TL : struct, ILanes<TV>
    {
        TL.Store(target, value._a);
    }
}
