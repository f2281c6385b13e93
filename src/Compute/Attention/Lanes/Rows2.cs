using System.Runtime.CompilerServices;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>Two rows.</summary>
internal unsafe struct Rows2<TV> : IRowTile<Rows2<TV>, TV>
    where TV : struct
{
    private TV _a;
    private TV _b;

    public static int Rows => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma<TL>(ref Rows2<TV> sum, float* factor, int stride, TV value)
        where TL : struct, ILanes<TV>
    {
        sum._a = TL.Fma(TL.Set(factor[0]), value, sum._a);
        sum._b = TL.Fma(TL.Set(factor[stride]), value, sum._b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma2<TL>(
        ref Rows2<TV> left, ref Rows2<TV> right, float* factor, int stride, TV leftValue, TV rightValue)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(factor[0]);
        left._a = TL.Fma(a, leftValue, left._a);
        right._a = TL.Fma(a, rightValue, right._a);
        TV b = TL.Set(factor[stride]);
        left._b = TL.Fma(b, leftValue, left._b);
        right._b = TL.Fma(b, rightValue, right._b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs2<TL>(
        ref Rows2<TV> left, ref Rows2<TV> right, uint* factor, int stride, TV leftPairs, TV rightPairs)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(*(float*)factor);
        left._a = TL.MultiplyAddPairs(left._a, a, leftPairs);
        right._a = TL.MultiplyAddPairs(right._a, a, rightPairs);
        TV b = TL.Set(*(float*)(factor + stride));
        left._b = TL.MultiplyAddPairs(left._b, b, leftPairs);
        right._b = TL.MultiplyAddPairs(right._b, b, rightPairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows2<TV> LoadScaled<TL>(float* source, int stride, float* factors)
        where TL : struct, ILanes<TV>
    {
        Rows2<TV> value = default;
        value._a = TL.Multiply(TL.Load(source), TL.Set(factors[0]));
        value._b = TL.Multiply(TL.Load(source + stride), TL.Set(factors[1]));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TL>(in Rows2<TV> value, float* target, int stride)
        where TL : struct, ILanes<TV>
    {
        TL.Store(target, value._a);
        TL.Store(target + stride, value._b);
    }
}
