using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.F16;

/// <summary>Keys in 16 bits: widened once per word in the fused kernel, or once per page into a tile.</summary>
internal readonly unsafe struct F16Keys : IKeyReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        if (block.PaddedRows > F16Kernels.FusedRows)
        {
            int wordCount = block.HeadDim * KvShape.PageTokens / 2;
            TileKernels<TL, TV>.Score(
                F16Kernels.Widen<TL, TV>((uint*)unit.Keys, wordCount, KvShape.PageTokens, block.Tile, unit.IsFinite), block, slots);
            return;
        }
        bool quick = unit.IsFinite && block.QueriesAreSmall;
        uint* words = (uint*)unit.Keys;
        int row = 0;
        for (; row + 4 <= block.PaddedRows; row += 4)
        {
            Score<TL, TV, Rows4<TV>>(words, block, row, slots, quick);
        }
        if (row + 3 == block.PaddedRows)
        {
            Score<TL, TV, Rows3<TV>>(words, block, row, slots, quick);
            return;
        }
        for (; row + 2 <= block.PaddedRows; row += 2)
        {
            Score<TL, TV, Rows2<TV>>(words, block, row, slots, quick);
        }
        if (row < block.PaddedRows)
        {
            Score<TL, TV, Rows1<TV>>(words, block, row, slots, quick);
        }
    }

    private static void Score<TL, TV, TRows>(uint* words, in RowBlock block, int row, int slots, bool quick)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        if (quick)
        {
            F16Kernels.Score<TL, TV, TRows, QuickHalf>(words, block.WideQueries, block, row, slots);
        }
        else
        {
            F16Kernels.Score<TL, TV, TRows, AnyHalf>(words, block.Queries, block, row, slots);
        }
    }
}

/// <summary>Values in 16 bits.</summary>
internal readonly unsafe struct F16Values : IValueReader
{
    public static void Begin(ref RowBlock block)
    {
    }

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
    }

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        uint* words = (uint*)unit.Values;
        if (block.PaddedRows > F16Kernels.FusedRows)
        {
            int wordCount = block.HeadDim * KvShape.PageTokens / 2;
            TileKernels<TL, TV>.Accumulate(
                F16Kernels.Widen<TL, TV>(words, wordCount, block.HeadDim, block.Tile, unit.IsFinite), block);
            return;
        }
        bool quick = unit.IsFinite;
        if (quick)
        {
            F16Kernels.ScaleUp<TL, TV>(block.Scores, block.PaddedRows * KvShape.PageTokens);
        }
        int row = 0;
        for (; row + 4 <= block.PaddedRows; row += 4)
        {
            Accumulate<TL, TV, Rows4<TV>>(words, block, row, quick);
        }
        if (row + 3 == block.PaddedRows)
        {
            Accumulate<TL, TV, Rows3<TV>>(words, block, row, quick);
            return;
        }
        for (; row + 2 <= block.PaddedRows; row += 2)
        {
            Accumulate<TL, TV, Rows2<TV>>(words, block, row, quick);
        }
        if (row < block.PaddedRows)
        {
            Accumulate<TL, TV, Rows1<TV>>(words, block, row, quick);
        }
    }

    private static void Accumulate<TL, TV, TRows>(uint* words, in RowBlock block, int row, bool quick)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
    {
        if (quick)
        {
            F16Kernels.Accumulate<TL, TV, TRows, QuickHalf>(words, block, row);
        }
        else
        {
            F16Kernels.Accumulate<TL, TV, TRows, AnyHalf>(words, block, row);
        }
    }
}

/// <summary>
/// The loops over packed halves. Every pointer walks a part of [headDim, 64] halves, or block buffers of
/// [PaddedRows, headDim] and [PaddedRows, 64] floats; headDim is a multiple of 16 and a vector has 16, 8 or 1 lanes.
/// </summary>
internal static unsafe class F16Kernels
{
    /// <summary>Up to this many rows the page is widened on the fly; beyond, widening once into a tile is cheaper.</summary>
    public const int FusedRows = 4;

    private const float Rebias = 5.192296858534828e33f; // 2^112

    public static float* Widen<TL, TV>(uint* words, int wordCount, int width, float* tile, bool finite)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        TV up = TL.Set(Rebias);
        for (int line = 0; line < wordCount; line += width)
        {
            float* even = tile + (line * 2);
            for (int i = 0; i < width; i += TL.Width)
            {
                TV low, high;
                if (finite)
                {
                    TL.LoadHalvesScaledDown(words + line + i, out low, out high);
                    low = TL.Multiply(low, up);
                    high = TL.Multiply(high, up);
                }
                else
                {
                    TL.LoadHalves(words + line + i, out low, out high);
                }
                TL.Store(even + i, low);
                TL.Store(even + width + i, high);
            }
        }
        return tile;
    }

    /// <summary>Multiplies by 2^112 in place; exact for values up to 1.</summary>
    public static void ScaleUp<TL, TV>(float* values, int count)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        TV up = TL.Set(Rebias);
        for (int i = 0; i < count; i += TL.Width)
        {
            TL.Store(values + i, TL.Multiply(TL.Load(values + i), up));
        }
    }

    public static void Score<TL, TV, TRows, THalf>(uint* words, float* queries, in RowBlock block, int row, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
        where THalf : struct, IHalfLoad
    {
        int headDim = block.HeadDim;
        float* query = queries + (row * headDim);
        for (int slot = 0; slot < slots; slot += 2 * TL.Width)
        {
            TRows left = default;
            TRows right = default;
            uint* word = words + slot;
            for (int channel = 0; channel < headDim; channel += 2, word += KvShape.PageTokens)
            {
                THalf.Load<TL, TV>(word, out TV evenLeft, out TV oddLeft);
                THalf.Load<TL, TV>(word + TL.Width, out TV evenRight, out TV oddRight);
                TRows.Fma2<TL>(ref left, ref right, query + channel, headDim, evenLeft, evenRight);
                TRows.Fma2<TL>(ref left, ref right, query + channel + 1, headDim, oddLeft, oddRight);
            }
            float* scores = block.Scores + (row * KvShape.PageTokens) + slot;
            TRows.Store<TL>(left, scores, KvShape.PageTokens);
            TRows.Store<TL>(right, scores + TL.Width, KvShape.PageTokens);
        }
    }

    public static void Accumulate<TL, TV, TRows, THalf>(uint* words, in RowBlock block, int row)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
        where THalf : struct, IHalfLoad
    {
        int seenByAll = block.Visible[row];
        AccumulateRange<TL, TV, TRows, THalf>(words, block, row, new SlotRange(0, seenByAll), block.Factors + row);
        float* one = stackalloc float[1] { 1f };
        for (int later = row + 1; later < row + TRows.Rows; later++)
        {
            if (block.Visible[later] > seenByAll)
            {
                AccumulateRange<TL, TV, Rows1<TV>, THalf>(words, block, later, new SlotRange(seenByAll, block.Visible[later]), one);
            }
        }
    }

    private static void AccumulateRange<TL, TV, TRows, THalf>(
        uint* words, in RowBlock block, int row, SlotRange range, float* factors)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
        where THalf : struct, IHalfLoad
    {
        int headDim = block.HeadDim;
        float* weights = block.Scores + (row * KvShape.PageTokens);
        float* values = block.Values + (row * headDim);
        int channel = 0;
        for (; channel + (2 * TL.Width) <= headDim; channel += 2 * TL.Width)
        {
            TRows left = TRows.LoadScaled<TL>(values + channel, headDim, factors);
            TRows right = TRows.LoadScaled<TL>(values + channel + TL.Width, headDim, factors);
            for (int slot = range.From; slot < range.To; slot++)
            {
                uint* word = words + ((slot >> 1) * headDim) + channel;
                THalf.Load<TL, TV>(word, out TV evenLeft, out TV oddLeft);
                THalf.Load<TL, TV>(word + TL.Width, out TV evenRight, out TV oddRight);
                if ((slot & 1) == 0)
                {
                    TRows.Fma2<TL>(ref left, ref right, weights + slot, KvShape.PageTokens, evenLeft, evenRight);
                    if (++slot == range.To)
                    {
                        break;
                    }
                }
                TRows.Fma2<TL>(ref left, ref right, weights + slot, KvShape.PageTokens, oddLeft, oddRight);
            }
            TRows.Store<TL>(left, values + channel, headDim);
            TRows.Store<TL>(right, values + channel + TL.Width, headDim);
        }
        if (channel < headDim)
        {
            AccumulateLast<TL, TV, TRows, THalf>(words + channel, block, row, range, factors);
        }
    }

    // The last 16 channels of a headDim that is an odd multiple of 16, with 16 lanes.
    private static void AccumulateLast<TL, TV, TRows, THalf>(
        uint* words, in RowBlock block, int row, SlotRange range, float* factors)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TRows : struct, IRowTile<TRows, TV>
        where THalf : struct, IHalfLoad
    {
        int headDim = block.HeadDim;
        float* weights = block.Scores + (row * KvShape.PageTokens);
        float* values = block.Values + (row * headDim) + headDim - TL.Width;
        TRows sum = TRows.LoadScaled<TL>(values, headDim, factors);
        for (int slot = range.From; slot < range.To; slot++)
        {
            THalf.Load<TL, TV>(words + ((slot >> 1) * headDim), out TV even, out TV odd);
            TRows.Fma<TL>(ref sum, weights + slot, KvShape.PageTokens, (slot & 1) == 0 ? even : odd);
        }
        TRows.Store<TL>(sum, values, headDim);
    }
}
