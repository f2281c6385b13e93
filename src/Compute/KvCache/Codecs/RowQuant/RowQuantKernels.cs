using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// Keys as codes: score = unit * scale * (codes . query) + minimum * (sum of query) with one group per token, or with scale
/// and minimum folded into the query where a group is a channel.
/// </summary>
internal readonly unsafe struct RowQuantKeys<TBits, TForm> : IKeyReader
    where TBits : struct, ICodeBits
    where TForm : struct, IRowForm
{
    private const int Slots = KvShape.PageTokens;

    public static void Begin(ref RowBlock block)
    {
        if (TForm.KeysByChannel)
        {
            return;
        }
        KeyArea area = new(block);
        int headDim = block.HeadDim;
        Span<float> rotated = new(area.Products, headDim);
        for (int row = 0; row < block.PaddedRows; row++)
        {
            new ReadOnlySpan<float>(block.Queries + (row * headDim), headDim).CopyTo(rotated);
            if (TForm.RotatesKeys)
            {
                HeadRotation.Forward(rotated);
            }
            (area.Units[row], area.Offsets[row]) =
                PairFactors.OfQuery(rotated, new Span<uint>(area.Pairs.First + (row * area.Pairs.Stride), headDim / 2));
        }
    }

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        KeyArea area = new(block);
        PairDot dot = new()
        {
            Words = (uint*)unit.Keys,
            LaneStride = Slots,
            Lanes = slots,
            Lines = RowPacking.Lines(block.HeadDim, TBits.Bits),
            Pairs = area.Pairs,
            Sums = block.Scores,
            SumStride = Slots,
        };
        uint* scales = dot.Words + (dot.Lines * Slots);
        bool wide = RowQuantKernels.TryWiden<TL, TV, TBits>(ref dot, block);
        if (!TForm.KeysByChannel)
        {
            RowQuantKernels.OfSlots<TL, TV, TForm>(scales, slots, area.Scales, area.Minimums);
            RowQuantKernels.Sum<TL, TV, TBits>(dot, wide, block.PaddedRows);
            ByToken<TL, TV>(area, block, slots);
            return;
        }
        for (int first = 0; first < slots; first += RowPart.ChannelGroup, scales += block.HeadDim)
        {
            RowQuantKernels.Halves<TL, TV>(scales, block.HeadDim, area.Scales, area.Minimums);
            Fold<TL, TV>(area, block);
            PairDot part = dot;
            part.Words += first;
            part.Lanes = Math.Min(RowPart.ChannelGroup, slots - first);
            part.Sums += first;
            RowQuantKernels.Sum<TL, TV, TBits>(part, wide, block.PaddedRows);
            ByChannel<TL, TV>(area, block, part);
        }
    }

    private static void ByToken<TL, TV>(in KeyArea area, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            float* scores = block.Scores + (row * Slots);
            TV unit = TL.Set(area.Units[row]);
            TV sum = TL.Set(area.Offsets[row]);
            for (int slot = 0; slot < slots; slot += TL.Width)
            {
                TV codes = TL.Multiply(TL.ToFloats(TL.Load(scores + slot)), unit);
                TV offset = TL.Multiply(sum, TL.Load(area.Minimums + slot));
                TL.Store(scores + slot, TL.Fma(codes, TL.Load(area.Scales + slot), offset));
            }
        }
    }

    // The queries times the scales of a group of tokens, as pairs.
    private static void Fold<TL, TV>(in KeyArea area, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        PairFactors factors = new()
        {
            Count = block.HeadDim,
            Kept = block.HeadDim,
            Scales = area.Scales,
            Minimums = area.Minimums,
            Products = area.Products,
        };
        for (int row = 0; row < block.PaddedRows; row++)
        {
            factors.Values = block.Queries + (row * block.HeadDim);
            area.Offsets[row] = factors.Make<TL, TV>(area.Pairs.First + (row * area.Pairs.Stride), out area.Units[row]);
        }
    }

    private static void ByChannel<TL, TV>(in KeyArea area, in RowBlock block, in PairDot part)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            float* scores = part.Sums + (row * Slots);
            TV unit = TL.Set(area.Units[row]);
            TV offset = TL.Set(area.Offsets[row]);
            for (int slot = 0; slot < part.Lanes; slot += TL.Width)
            {
                TL.Store(scores + slot, TL.Fma(TL.ToFloats(TL.Load(scores + slot)), unit, offset));
            }
        }
    }
}

/// <summary>
/// Values as codes: per page, row and group, weight * scale becomes 15-bit integers, so that codes are summed in integers;
/// values = values * factor + unit * (codes . weights) + sum of weight * minimum.
/// </summary>
internal readonly unsafe struct RowQuantValues<TBits, TForm> : IValueReader
    where TBits : struct, ICodeBits
    where TForm : struct, IRowForm
{
    private const int Slots = KvShape.PageTokens;

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
        ValueArea area = new(block);
        int headDim = block.HeadDim;
        int group = TForm.ValueGroup(headDim);
        // Rows ascend in position, so no row sees more than the last.
        int visible = block.Visible[block.PaddedRows - 1];
        PairDot dot = new()
        {
            Words = (uint*)unit.Values,
            LaneStride = headDim,
            Lanes = headDim,
            Lines = RowPacking.Lines(Slots, TBits.Bits),
            Pairs = area.Pairs,
            Sums = area.Sums,
            SumStride = headDim,
        };
        uint* scales = dot.Words + (dot.Lines * headDim);
        // Slot i shares its line with slot i + 32; what lies beyond the slots that are seen has no weight.
        dot.Lines = Math.Min(dot.Lines, ((visible * TBits.Bits) + 15) / 16);
        bool wide = RowQuantKernels.TryWiden<TL, TV, TBits>(ref dot, block);
        for (int first = 0; first < headDim; first += group, scales += Slots / TForm.TokensOfScale)
        {
            RowQuantKernels.OfSlots<TL, TV, TForm>(scales, visible, area.Scales, area.Minimums);
            Weigh<TL, TV>(area, block);
            PairDot part = dot;
            part.Words += first;
            part.Lanes = Math.Min(group, headDim - first);
            part.Sums += first;
            RowQuantKernels.Sum<TL, TV, TBits>(part, wide, block.PaddedRows);
            Add<TL, TV>(area, block, new(first, first + part.Lanes));
        }
    }

    private static void Weigh<TL, TV>(in ValueArea area, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        PairFactors factors = new()
        {
            Count = Slots,
            Scales = area.Scales,
            Minimums = area.Minimums,
            Products = area.Products,
        };
        for (int row = 0; row < block.PaddedRows; row++)
        {
            factors.Kept = block.Visible[row];
            factors.Values = block.Scores + (row * Slots);
            area.Offsets[row] = factors.Make<TL, TV>(area.Pairs.First + (row * ValueArea.PairWords), out area.Units[row]);
        }
    }

    private static void Add<TL, TV>(in ValueArea area, in RowBlock block, SlotRange channels)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            if (block.Visible[row] == 0)
            {
                continue;
            }
            float* sums = area.Sums + (row * block.HeadDim);
            float* values = block.Values + (row * block.HeadDim);
            TV unit = TL.Set(area.Units[row]);
            TV offset = TL.Set(area.Offsets[row]);
            TV factor = TL.Set(block.Factors[row]);
            for (int channel = channels.From; channel < channels.To; channel += TL.Width)
            {
                TV before = TL.Fma(TL.Load(values + channel), factor, offset);
                TL.Store(values + channel, TL.Fma(TL.ToFloats(TL.Load(sums + channel)), unit, before));
            }
        }
    }
}

/// <summary>What keys and values share.</summary>
internal static unsafe class RowQuantKernels
{
    // Up to this many rows the codes are taken from the words; beyond, taking a page apart once is cheaper.
    private const int FusedRows = 4;

    /// <summary>Takes a page apart for a block of many rows, into the block's tile, which has room for twice as many pairs.</summary>
    /// <returns>Whether the sum now runs over the tile.</returns>
    public static bool TryWiden<TL, TV, TBits>(ref PairDot dot, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TBits : struct, ICodeBits
    {
        if (block.PaddedRows <= FusedRows)
        {
            return false;
        }
        PairDot.Widen<TL, TV, TBits>(dot, (uint*)block.Tile);
        dot.Words = (uint*)block.Tile;
        dot.Lines *= 16 / TBits.Bits;
        return true;
    }

    public static void Sum<TL, TV, TBits>(in PairDot dot, bool wide, int rows)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TBits : struct, ICodeBits
    {
        if (wide)
        {
            dot.Run<TL, TV, WideBits>(rows);
        }
        else
        {
            dot.Run<TL, TV, TBits>(rows);
        }
    }

    /// <summary>Scales and minimums of slots as floats, in whole vectors.</summary>
    public static void OfSlots<TL, TV, TForm>(uint* words, int slots, float* scales, float* minimums)
        where TL : struct, ILanes<TV>
        where TV : struct
        where TForm : struct, IRowForm
    {
        int shared = TForm.TokensOfScale;
        Halves<TL, TV>(words, (slots + shared - 1) / shared, scales, minimums);
        // From the end, so that nothing is overwritten before it was read.
        for (int slot = KvShape.PageTokens - 1; shared > 1 && slot > 0; slot--)
        {
            (scales[slot], minimums[slot]) = (scales[slot / shared], minimums[slot / shared]);
        }
    }

    /// <summary>Scales and minimums as floats, in whole vectors.</summary>
    public static void Halves<TL, TV>(uint* words, int count, float* scales, float* minimums)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int i = 0; i < count; i += TL.Width)
        {
            TL.LoadHalves(words + i, out TV scale, out TV minimum);
            TL.Store(scales + i, scale);
            TL.Store(minimums + i, minimum);
        }
    }
}
