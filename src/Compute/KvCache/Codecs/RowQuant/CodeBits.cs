using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// How a word holds codes: two per field of <see cref="Bits"/> bits, field j of the low half paired with field j of the high
/// half, so that shift and mask give a pair of 16-bit numbers. One line of words holds 16 / Bits pairs per lane.
/// </summary>
internal unsafe interface ICodeBits
{
    /// <summary>Bits of a code; 16 in a tile.</summary>
    static abstract int Bits { get; }

    /// <summary>Adds the products of one line, of two vectors a and b of words, with the pairs of each row.</summary>
    static abstract void Line<TL, TV, TRows>(ref TRows left, ref TRows right, PairRows pairs, TV a, TV b)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>;
}

/// <summary>8-bit codes.</summary>
internal readonly unsafe struct Bits8 : ICodeBits
{
    public static int Bits => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<TL, TV, TRows>(ref TRows left, ref TRows right, PairRows pairs, TV a, TV b)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        const uint Mask = 0x00FF_00FF;
        uint* first = pairs.First;
        int stride = pairs.Stride;
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first, stride, TL.Field(a, 0, Mask), TL.Field(b, 0, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 1, stride, TL.Field(a, 8, Mask), TL.Field(b, 8, Mask));
    }
}

/// <summary>4-bit codes.</summary>
internal readonly unsafe struct Bits4 : ICodeBits
{
    public static int Bits => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<TL, TV, TRows>(ref TRows left, ref TRows right, PairRows pairs, TV a, TV b)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        const uint Mask = 0x000F_000F;
        uint* first = pairs.First;
        int stride = pairs.Stride;
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first, stride, TL.Field(a, 0, Mask), TL.Field(b, 0, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 1, stride, TL.Field(a, 4, Mask), TL.Field(b, 4, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 2, stride, TL.Field(a, 8, Mask), TL.Field(b, 8, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 3, stride, TL.Field(a, 12, Mask), TL.Field(b, 12, Mask));
    }
}

/// <summary>2-bit codes.</summary>
internal readonly unsafe struct Bits2 : ICodeBits
{
    public static int Bits => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<TL, TV, TRows>(ref TRows left, ref TRows right, PairRows pairs, TV a, TV b)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        const uint Mask = 0x0003_0003;
        uint* first = pairs.First;
        int stride = pairs.Stride;
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first, stride, TL.Field(a, 0, Mask), TL.Field(b, 0, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 1, stride, TL.Field(a, 2, Mask), TL.Field(b, 2, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 2, stride, TL.Field(a, 4, Mask), TL.Field(b, 4, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 3, stride, TL.Field(a, 6, Mask), TL.Field(b, 6, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 4, stride, TL.Field(a, 8, Mask), TL.Field(b, 8, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 5, stride, TL.Field(a, 10, Mask), TL.Field(b, 10, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 6, stride, TL.Field(a, 12, Mask), TL.Field(b, 12, Mask));
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, first + 7, stride, TL.Field(a, 14, Mask), TL.Field(b, 14, Mask));
    }
}

/// <summary>A tile: one pair per word, nothing to take apart.</summary>
internal readonly unsafe struct WideBits : ICodeBits
{
    public static int Bits => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line<TL, TV, TRows>(ref TRows left, ref TRows right, PairRows pairs, TV a, TV b)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV> =>
        TRows.MultiplyAddPairs2<TL>(ref left, ref right, pairs.First, pairs.Stride, a, b);
}

/// <summary>Pairs of 16-bit factors of some rows.</summary>
/// <param name="first">First row's.</param>
/// <param name="stride">Words from row to row.</param>
internal readonly unsafe struct PairRows(uint* first, int stride)
{
    public uint* First { get; } = first;

    public int Stride { get; } = stride;

    public PairRows From(int pair) => new(First + pair, Stride);
}
