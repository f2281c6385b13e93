using System.Runtime.CompilerServices;

namespace Concertina.Compute.Attention.Lanes;

/// <summary>Four rows.</summary>
internal unsafe struct Rows4<TV> : IRowTile<Rows4<TV>, TV>
    where TV : struct
{
    private TV _a;
    private TV _b;
    private TV _c;
    private TV _d;

    public static int Rows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma<TL>(ref Rows4<TV> sum, float* factor, int stride, TV value)
        where TL : struct, ILanes<TV>
    {
        sum._a = TL.Fma(TL.Set(factor[0]), value, sum._a);
        sum._b = TL.Fma(TL.Set(factor[stride]), value, sum._b);
        sum._c = TL.Fma(TL.Set(factor[2 * stride]), value, sum._c);
        sum._d = TL.Fma(TL.Set(factor[3 * stride]), value, sum._d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fma2<TL>(
        ref Rows4<TV> left, ref Rows4<TV> right, float* factor, int stride, TV leftValue, TV rightValue)
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
        TV d = TL.Set(factor[3 * stride]);
        left._d = TL.Fma(d, leftValue, left._d);
        right._d = TL.Fma(d, rightValue, right._d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs2<TL>(
        ref Rows4<TV> left, ref Rows4<TV> right, uint* factor, int stride, TV leftPairs, TV rightPairs)
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
        TV d = TL.Set(*(float*)(factor + (3 * stride)));
        left._d = TL.MultiplyAddPairs(left._d, d, leftPairs);
        right._d = TL.MultiplyAddPairs(right._d, d, rightPairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Rows4<TV> LoadScaled<TL>(float* source, int stride, float* factors)
        where TL : struct, ILanes<TV>
    {
        Rows4<TV> value = default;
        value._a = TL.Multiply(TL.Load(source), TL.Set(factors[0]));
        value._b = TL.Multiply(TL.Load(source + stride), TL.Set(factors[1]));
        value._c = TL.Multiply(TL.Load(source + (2 * stride)), TL.Set(factors[2]));
        value._d = TL.Multiply(TL.Load(source + (3 * stride)), TL.Set(factors[3]));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TL>(in Rows4<TV> value, float* target, int stride)
        where TL : struct, ILanes<TV>
    {
        TL.Store(target, value._a);
        TL.Store(target + stride, value._b);
        TL.Store(target + (2 * stride), value._c);
        TL.Store(target + (3 * stride), value._d);
    }
}
