using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>
/// Scores without reconstructing: once per unit g = C_K q[D_c], and per page s = R^T g plus what the reader of the kept
/// channels gives for q[D_u].
/// </summary>
internal readonly unsafe struct FourierKeys<TKept> : IKeyReader
    where TKept : struct, IKeyReader
{
    public static void Begin(ref RowBlock block) => *(byte**)block.KeyScratch = null;

    public static void Score<TL, TV>(in UnitView unit, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        FourierHead* head = (FourierHead*)unit.KeyData;
        KeyScratch scratch = new(head, block);
        if (*scratch.Unit != unit.Keys)
        {
            Prepare<TL, TV>(head, unit, block);
            *scratch.Unit = unit.Keys;
        }
        if (head->CompressedCount > 0)
        {
            RowBlock spectral = block;
            spectral.HeadDim = head->Orders;
            spectral.Queries = scratch.Spectrum;
            TileKernels<TL, TV>.Score(head->Basis + (unit.Page * KvShape.PageTokens * head->Orders), spectral, slots);
        }
        if (head->KeptCount > 0)
        {
            RowBlock kept = KeptBlock(head, block);
            kept.Scores = head->CompressedCount > 0 ? scratch.Scores : block.Scores;
            TKept.Score<TL, TV>(FourierKernels.KeptPage(head, unit), kept, slots);
        }
        if (head->KeptCount > 0 && head->CompressedCount > 0)
        {
            Add<TL, TV>(scratch.Scores, block, slots);
        }
    }

    private static void Prepare<TL, TV>(FourierHead* head, in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        KeyScratch scratch = new(head, block);
        if (*scratch.Unit == null)
        {
            // The head is known here first, so the first page of a run takes the queries apart.
            for (int row = 0; row < block.PaddedRows; row++)
            {
                float* query = block.Queries + (row * block.HeadDim);
                FourierHead.Gather(head->Compressed, head->CompressedCount, query, scratch.Compressed + (row * head->CompressedCount));
                FourierHead.Gather(head->Kept, head->KeptCount, query, scratch.Kept + (row * head->KeptCount));
            }
            if (head->KeptCount > 0)
            {
                RowBlock kept = KeptBlock(head, block);
                TKept.Begin(ref kept);
            }
        }
        CoefficientProduct product = new()
        {
            Words = (uint*)unit.Keys,
            Count = head->CompressedCount,
            Lanes = head->Orders,
            Factors = scratch.Compressed,
            Sums = scratch.Spectrum,
        };
        product.Run<TL, TV>(block.PaddedRows);
    }

    private static RowBlock KeptBlock(FourierHead* head, in RowBlock block)
    {
        KeyScratch scratch = new(head, block);
        RowBlock kept = block;
        kept.HeadDim = head->KeptCount;
        kept.Queries = scratch.Kept;
        kept.KeyScratch = scratch.Inner;
        // There are no wide copies of these queries.
        kept.QueriesAreSmall = false;
        return kept;
    }

    private static void Add<TL, TV>(float* kept, in RowBlock block, int slots)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++, kept += KvShape.PageTokens)
        {
            float* scores = block.Scores + (row * KvShape.PageTokens);
            for (int slot = 0; slot < slots; slot += TL.Width)
            {
                TL.Store(scores + slot, TL.Add(TL.Load(scores + slot), TL.Load(kept + slot)));
            }
        }
    }
}

/// <summary>
/// Values without reconstructing: h += R p per page, and once per unit values[D_c] += C_V^T h; the kept channels have an
/// accumulator of their own.
/// </summary>
internal readonly unsafe struct FourierValues<TKept> : IValueReader
    where TKept : struct, IValueReader
{
    public static void Begin(ref RowBlock block) => *(byte**)block.ValueScratch = null;

    public static void Accumulate<TL, TV>(in UnitView unit, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        FourierHead* head = (FourierHead*)unit.ValueData;
        ValueScratch scratch = new(head, block);
        if (*scratch.Unit == null)
        {
            new Span<float>(scratch.Kept, block.PaddedRows * head->KeptCount).Clear();
            new Span<float>(scratch.Spectrum, block.PaddedRows * head->Orders).Clear();
            if (head->KeptCount > 0)
            {
                RowBlock first = KeptBlock(head, block);
                TKept.Begin(ref first);
            }
        }
        else if (*scratch.Unit != unit.Values)
        {
            Flush<TL, TV>(head, block);
            new Span<float>(scratch.Spectrum, block.PaddedRows * head->Orders).Clear();
        }
        *scratch.Unit = unit.Values;
        FourierKernels.ScaleValues<TL, TV>(block);
        if (head->CompressedCount > 0)
        {
            RowBlock spectral = block;
            spectral.HeadDim = head->Orders;
            spectral.Values = scratch.Spectrum;
            TileKernels<TL, TV>.Accumulate(head->Basis + (unit.Page * KvShape.PageTokens * head->Orders), spectral);
        }
        if (head->KeptCount > 0)
        {
            // Last, because it may change the weights.
            TKept.Accumulate<TL, TV>(FourierKernels.KeptPage(head, unit), KeptBlock(head, block));
        }
    }

    public static void End<TL, TV>(in UnitView last, ref RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        FourierHead* head = (FourierHead*)last.ValueData;
        ValueScratch scratch = new(head, block);
        if (*scratch.Unit == null)
        {
            return;
        }
        Flush<TL, TV>(head, block);
        if (head->KeptCount == 0)
        {
            return;
        }
        RowBlock kept = KeptBlock(head, block);
        TKept.End<TL, TV>(FourierKernels.KeptPage(head, last), ref kept);
        for (int row = 0; row < block.PaddedRows; row++)
        {
            FourierHead.Scatter(head->Kept, head->KeptCount, scratch.Kept + (row * head->KeptCount), block.Values + (row * block.HeadDim));
        }
    }

    // Adds the unit whose weights the spectrum holds.
    private static void Flush<TL, TV>(FourierHead* head, in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        if (head->CompressedCount == 0)
        {
            return;
        }
        ValueScratch scratch = new(head, block);
        CoefficientProduct product = new()
        {
            Words = (uint*)*scratch.Unit,
            Count = head->Orders,
            Lanes = head->CompressedCount,
            Factors = scratch.Spectrum,
            Sums = scratch.Compressed,
        };
        product.Run<TL, TV>(block.PaddedRows);
        for (int row = 0; row < block.PaddedRows; row++)
        {
            // h[0] is the sum of the weights; a row that saw nothing of the unit takes nothing of it, not even a NaN.
            if (scratch.Spectrum[row * head->Orders] != 0f)
            {
                FourierHead.Scatter(
                    head->Compressed, head->CompressedCount, scratch.Compressed + (row * head->CompressedCount), block.Values + (row * block.HeadDim));
            }
        }
    }

    private static RowBlock KeptBlock(FourierHead* head, in RowBlock block)
    {
        ValueScratch scratch = new(head, block);
        RowBlock kept = block;
        kept.HeadDim = head->KeptCount;
        kept.Values = scratch.Kept;
        kept.ValueScratch = scratch.Inner;
        return kept;
    }
}

/// <summary>What keys and values share.</summary>
internal static unsafe class FourierKernels
{
    /// <summary>The page of a view as the reader of the kept channels sees it: a unit of its own.</summary>
    public static UnitView KeptPage(FourierHead* head, in UnitView unit)
    {
        int at = head->CoefficientBytes + (unit.Page * head->PageBytes);
        UnitView page = unit;
        page.Keys = unit.Keys + at;
        page.Values = unit.Values + at;
        page.KeyData = null;
        page.ValueData = null;
        page.Page = 0;
        return page;
    }

    /// <summary>Values times the rows' factors.</summary>
    public static void ScaleValues<TL, TV>(in RowBlock block)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        for (int row = 0; row < block.PaddedRows; row++)
        {
            if (block.Factors[row] == 1f)
            {
                continue;
            }
            TV factor = TL.Set(block.Factors[row]);
            float* values = block.Values + (row * block.HeadDim);
            for (int channel = 0; channel < block.HeadDim; channel += TL.Width)
            {
                TL.Store(values + channel, TL.Multiply(TL.Load(values + channel), factor));
            }
        }
    }
}
