using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.Attention.Folds;

/// <summary>
/// The loops over float tiles: keys [headDim, 64], values [64, headDim]. Bounds: a row tile starts at row with
/// row + Rows &lt;= PaddedRows; slots and channels advance in whole vectors, 64 and headDim are multiples of 16.
/// </summary>
internal static unsafe class TileKernels<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    public static void Score(float* tile, in RowBlock block, int slots)
    {
        int row = 0;
        for (; row + 4 <= block.PaddedRows; row += 4)
        {
            Score<Rows4<TV>>(tile, block, row, slots);
        }
        if (row + 3 == block.PaddedRows)
        {
            Score<Rows3<TV>>(tile, block, row, slots);
            return;
        }
        for (; row + 2 <= block.PaddedRows; row += 2)
        {
            Score<Rows2<TV>>(tile, block, row, slots);
        }
        if (row < block.PaddedRows)
        {
            Score<Rows1<TV>>(tile, block, row, slots);
        }
    }

    public static void Accumulate(float* tile, in RowBlock block)
    {
        int row = 0;
        for (; row + 4 <= block.PaddedRows; row += 4)
        {
            Accumulate<Rows4<TV>>(tile, block, row);
        }
        if (row + 3 == block.PaddedRows)
        {
            Accumulate<Rows3<TV>>(tile, block, row);
            return;
        }
        for (; row + 2 <= block.PaddedRows; row += 2)
        {
            Accumulate<Rows2<TV>>(tile, block, row);
        }
        if (row < block.PaddedRows)
        {
            Accumulate<Rows1<TV>>(tile, block, row);
        }
    }

    private static void Score<TRows>(float* tile, in RowBlock block, int row, int slots)
        where TRows : struct, IRowTile<TRows, TV>
    {
        int headDim = block.HeadDim;
        float* query = block.Queries + (row * headDim);
        for (int slot = 0; slot < slots; slot += 2 * TL.Width)
        {
            TRows left = default;
            TRows right = default;
            float* key = tile + slot;
            for (int channel = 0; channel < headDim; channel++, key += KvCache.KvShape.PageTokens)
            {
                TRows.Fma2<TL>(ref left, ref right, query + channel, headDim, TL.Load(key), TL.Load(key + TL.Width));
            }
            float* scores = block.Scores + (row * KvCache.KvShape.PageTokens) + slot;
            TRows.Store<TL>(left, scores, KvCache.KvShape.PageTokens);
            TRows.Store<TL>(right, scores + TL.Width, KvCache.KvShape.PageTokens);
        }
    }

    private static void Accumulate<TRows>(float* tile, in RowBlock block, int row)
        where TRows : struct, IRowTile<TRows, TV>
    {
        int seenByAll = block.Visible[row];
        AccumulateRange<TRows>(tile, block, row, new SlotRange(0, seenByAll), block.Factors + row);
        float* one = stackalloc float[1] { 1f };
        for (int later = row + 1; later < row + TRows.Rows; later++)
        {
            if (block.Visible[later] > seenByAll)
            {
                AccumulateRange<Rows1<TV>>(tile, block, later, new SlotRange(seenByAll, block.Visible[later]), one);
            }
        }
    }

    private static void AccumulateRange<TRows>(float* tile, in RowBlock block, int row, SlotRange range, float* factors)
        where TRows : struct, IRowTile<TRows, TV>
    {
        int headDim = block.HeadDim;
        float* weights = block.Scores + (row * KvCache.KvShape.PageTokens);
        float* values = block.Values + (row * headDim);
        int channel = 0;
        for (; channel + (2 * TL.Width) <= headDim; channel += 2 * TL.Width)
        {
            TRows left = TRows.LoadScaled<TL>(values + channel, headDim, factors);
            TRows right = TRows.LoadScaled<TL>(values + channel + TL.Width, headDim, factors);
            float* value = tile + (range.From * headDim) + channel;
            for (int slot = range.From; slot < range.To; slot++, value += headDim)
            {
                TRows.Fma2<TL>(
                    ref left, ref right, weights + slot, KvCache.KvShape.PageTokens, TL.Load(value), TL.Load(value + TL.Width));
            }
            TRows.Store<TL>(left, values + channel, headDim);
            TRows.Store<TL>(right, values + channel + TL.Width, headDim);
        }
        if (channel < headDim)
        {
            TRows sum = TRows.LoadScaled<TL>(values + channel, headDim, factors);
            for (int slot = range.From; slot < range.To; slot++)
            {
                TRows.Fma<TL>(ref sum, weights + slot, KvCache.KvShape.PageTokens, TL.Load(tile + (slot * headDim) + channel));
            }
            TRows.Store<TL>(sum, values + channel, headDim);
        }
    }
}
