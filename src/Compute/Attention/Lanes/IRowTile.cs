namespace Concertina.Compute.Attention.Lanes;

/// <summary>One vector of each of some rows, kept in registers. Row i of memory lies i * stride elements after row 0.</summary>
internal unsafe interface IRowTile<TSelf, TV>
    where TSelf : struct, IRowTile<TSelf, TV>
    where TV : struct
{
    static abstract int Rows { get; }

    /// <summary>sum[i] += factor[i] * value, fused.</summary>
    static abstract void Fma<TL>(ref TSelf sum, float* factor, int stride, TV value)
        where TL : struct, ILanes<TV>;

    /// <summary>The same for two neighbouring vectors of each row, with each factor read once.</summary>
    static abstract void Fma2<TL>(ref TSelf left, ref TSelf right, float* factor, int stride, TV leftValue, TV rightValue)
        where TL : struct, ILanes<TV>;

    /// <summary>The same for sums of products of 16-bit pairs: integers, exact.</summary>
    static abstract void MultiplyAddPairs2<TL>(
        ref TSelf left, ref TSelf right, uint* factor, int stride, TV leftPairs, TV rightPairs)
        where TL : struct, ILanes<TV>;

    /// <summary>Row i of memory times factors[i].</summary>
    static abstract TSelf LoadScaled<TL>(float* source, int stride, float* factors)
        where TL : struct, ILanes<TV>;

    static abstract void Store<TL>(in TSelf value, float* target, int stride)
        where TL : struct, ILanes<TV>;
}
