using System.Runtime.CompilerServices;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>Three rows.</summary>
internal unsafe struct Rows3<TV> : IRowTile<Rows3<TV>, TV>
    where TV : struct
{
    private TV _a;
    private TV _b;
    private TV _c;

    public static int Rows => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma<TL>(ref Rows3<TV> sum, float* factor, int stride, TV value)
        where TL : struct, ILanes<TV>
    {
        sum._a = TL.Fma(TL.Set(factor[0]), value, sum._a);
        sum._b = TL.Fma(TL.Set(factor[stride]), value, sum._b);
        sum._c = TL.Fma(TL.Set(factor[2 * stride]), value, sum._c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma2<TL>(
        ref Rows3<TV> left, ref Rows3<TV> right, float* factor, int stride, TV leftValue, TV rightValue)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(factor[0]);
        left._a = TL.Fma(a, leftValue, left._a);
        right._a = TL.Fma(a, rightValue, right._a);
        TV b = TL.Set(factor[stride]);
        left._b = TL.Fma(b, leftValue, left._b);
        right._b = TL.Fma(b, rightValue, right._b);
        TV c = TL.Set(factor[2 * stride]);
        left._c = TL.Fma(c, leftValue, left._c);
        right._c = TL.Fma(c, rightValue, right._c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs2<TL>(
        ref Rows3<TV> left, ref Rows3<TV> right, uint* factor, int stride, TV leftPairs, TV rightPairs)
        where TL : struct, ILanes<TV>
    {
        TV a = TL.Set(*(float*)factor);
        left._a = TL.MultiplyAddPairs(left._a, a, leftPairs);
        right._a = TL.MultiplyAddPairs(right._a, a, rightPairs);
        TV b = TL.Set(*(float*)(factor + stride));
        left._b = TL.MultiplyAddPairs(left._b, b, leftPairs);
        right._b = TL.MultiplyAddPairs(right._b, b, rightPairs);
        TV c = TL.Set(*(float*)(factor + (2 * stride)));
        left._c = TL.MultiplyAddPairs(left._c, c, leftPairs);
        right._c = TL.MultiplyAddPairs(right._c, c, rightPairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows3<TV> LoadScaled<TL>(float* source, int stride, float* factors)
        where TL : struct, ILanes<TV>
    {
        Rows3<TV> value = default;
        value._a = TL.Multiply(TL.Load(source), TL.Set(factors[0]));
        value._b = TL.Multiply(TL.Load(source + stride), TL.Set(factors[1]));
        value._c = TL.Multiply(TL.Load(source + (2 * stride)), TL.Set(factors[2]));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TL>(in Rows3<TV> value, float* target, int stride)
        where TL : struct, ILanes<TV>
    {
        TL.Store(target, value._a);
        TL.Store(target + stride, value._b);
        TL.Store(target + (2 * stride), value._c);
    }
}
