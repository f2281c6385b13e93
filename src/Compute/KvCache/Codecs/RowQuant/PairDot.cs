using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// sums[row, lane] = sum over pairs of code[pair, lane] * factor[row, pair], in 32-bit integers, exact and so the same in
/// any order and width. Codes are at most 255 and factors at most 32767 in magnitude; 256 products sum to at most
/// 256 * 255 * 32767 = 2 139 029 760, which is below 2^31.
/// </summary>
internal unsafe struct PairDot
{
    /// <summary>[lines, LaneStride] words.</summary>
    public uint* Words;

    /// <summary>Words from line to line.</summary>
    public int LaneStride;

    /// <summary>Lanes wanted: 64 slots, or a multiple of 16 channels; words and sums have room for whole vectors.</summary>
    public int Lanes;

    /// <summary>Lines that count.</summary>
    public int Lines;

    /// <summary>Factors of all rows.</summary>
    public PairRows Pairs;

    /// <summary>[rows, SumStride], integers as their bits.</summary>
    public float* Sums;

    public int SumStride;

    public readonly void Run<TL, TV, TBits>(int rows)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TBits : struct, ICodeBits
    {
        int row = 0;
        for (; row + 4 <= rows; row += 4)
        {
            Run<TL, TV, TBits, Rows4<TV>>(row);
        }
        switch (rows - row)
        {
            case 3:
                Run<TL, TV, TBits, Rows3<TV>>(row);
                break;
            case 2:
                Run<TL, TV, TBits, Rows2<TV>>(row);
                break;
            case 1:
                Run<TL, TV, TBits, Rows1<TV>>(row);
                break;
        }
    }

    /// <summary>One pair per word: what large blocks of rows work on.</summary>
    public static void Widen<TL, TV, TBits>(in PairDot packed, uint* tile)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TBits : struct, ICodeBits
    {
        uint mask = ((1u << TBits.Bits) - 1) * 0x0001_0001;
        uint* words = packed.Words;
        for (int line = 0; line < packed.Lines; line++)
        {
            for (int lane = 0; lane < packed.LaneStride; lane += TL.Width)
            {
                TV word = TL.Load((float*)(words + lane));
                uint* target = tile + lane;
                for (int shift = 0; shift < 16; shift += TBits.Bits, target += packed.LaneStride)
                {
                    TL.Store((float*)target, TL.Field(word, shift, mask));
                }
            }
            words += packed.LaneStride;
            tile += packed.LaneStride * (16 / TBits.Bits);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Run<TL, TV, TBits, TRows>(int row)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TBits : struct, ICodeBits
        where TRows : struct, IRowTile<TRows, TV>
    {
        uint* factors = Pairs.First + (row * Pairs.Stride);
        float* sums = Sums + (row * SumStride);
        for (int lane = 0; lane < Lanes; lane += 2 * TL.Width)
        {
            // A last odd vector is taken twice.
            int next = lane + TL.Width < Lanes ? TL.Width : 0;
            TRows left = default;
            TRows right = default;
            uint* words = Words + lane;
            PairRows pairs = new(factors, Pairs.Stride);
            for (int line = 0; line < Lines; line++, words += LaneStride)
            {
                TBits.Line<TL, TV, TRows>(ref left, ref right, pairs, TL.Load((float*)words), TL.Load((float*)(words + next)));
                pairs = pairs.From(16 / TBits.Bits);
            }
            TRows.Store<TL>(left, sums + lane, SumStride);
            TRows.Store<TL>(right, sums + lane + next, SumStride);
        }
    }
}
