using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// RoPE over a tile [headDim, 64] of keys: rows 2i and 2i + 1 are a pair, lanes are slots. cis of a position is one complex
/// product of two table entries, so that contiguous and scattered positions give the same bits.
/// </summary>
internal static unsafe class KeyTurn<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    private const int Slots = KvShape.PageTokens;

    /// <summary>Turns all slots to their positions, which the angle table holds: the page was encoded with the same table.</summary>
    public static void Run(LatentHead* head, SlotPositions positions, float* tile)
    {
        float* cosines = stackalloc float[2 * Slots];
        float* sines = cosines + Slots;
        bool whole = positions.IsWholePage;
        for (int pair = 0; pair < head->RotatedPairs; pair++, tile += 2 * Slots)
        {
            if (whole)
            {
                WholePage(head, pair, positions.At(0) / Slots, cosines);
            }
            else
            {
                Scattered(head, pair, positions, cosines);
            }
            for (int slot = 0; slot < Slots; slot += TL.Width)
            {
                TV cosine = TL.Load(cosines + slot);
                TV sine = TL.Load(sines + slot);
                TV real = TL.Load(tile + slot);
                TV imaginary = TL.Load(tile + Slots + slot);
                TL.Store(tile + slot, TL.Subtract(TL.Multiply(real, cosine), TL.Multiply(imaginary, sine)));
                TL.Store(tile + Slots + slot, TL.Fma(real, sine, TL.Multiply(imaginary, cosine)));
            }
        }
    }

    private static void WholePage(LatentHead* head, int pair, int page, float* cosines)
    {
        float* row = head->Pages + ((long)page * head->PageWidth) + pair;
        TV pageCosine = TL.Set(row[0]);
        TV pageSine = TL.Set(row[head->PageWidth / 2]);
        for (int slot = 0; slot < Slots; slot += TL.Width)
        {
            TV slotCosine = TL.Load(head->SlotCosines + (pair * Slots) + slot);
            TV slotSine = TL.Load(head->SlotSines + (pair * Slots) + slot);
            TL.Store(cosines + slot, TL.Subtract(TL.Multiply(pageCosine, slotCosine), TL.Multiply(pageSine, slotSine)));
            TL.Store(cosines + Slots + slot, TL.Fma(pageCosine, slotSine, TL.Multiply(pageSine, slotCosine)));
        }
    }

    private static void Scattered(LatentHead* head, int pair, SlotPositions positions, float* cosines)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            int position = positions.At(slot);
            float* row = head->Pages + ((long)(position / Slots) * head->PageWidth) + pair;
            (float pageCosine, float pageSine) = (row[0], row[head->PageWidth / 2]);
            float slotCosine = head->SlotCosines[(pair * Slots) + (position % Slots)];
            float slotSine = head->SlotSines[(pair * Slots) + (position % Slots)];
            cosines[slot] = (pageCosine * slotCosine) - (pageSine * slotSine);
            cosines[Slots + slot] = MathF.FusedMultiplyAdd(pageCosine, slotSine, pageSine * slotCosine);
        }
    }
}
