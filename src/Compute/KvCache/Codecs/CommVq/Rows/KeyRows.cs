using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>
/// Keys of a page: sums of codewords, times the norm, plus the mean, turned to their positions. Lanes are pairs; sums run over
/// the stages in order, so all widths give the same bits.
/// </summary>
internal static unsafe class KeyRows<TL, TV>
    where TL : struct, ILanes<TV>
    where TV : struct
{
    /// <summary>Decodes one slot into a split row.</summary>
    /// <param name="head">Tables.</param>
    /// <param name="part">Key part of the page.</param>
    /// <param name="at">Slot, 0 to 63, and its position, which the angle table holds: the page was encoded with the same table.</param>
    /// <param name="row">Receives width floats.</param>
    public static void Decode(KeyHead* head, byte* part, (int Slot, int Position) at, float* row)
    {
        if (head->Levels == 16)
        {
            Decode<NibblePair>(head, part, at, row);
        }
        else
        {
            Decode<SixBitPair>(head, part, at, row);
        }
    }

    /// <summary>Decodes the first slots into a tile [headDim, 64], through 8 staged rows.</summary>
    public static void Tile(KeyHead* head, in Attention.UnitView unit, in Attention.RowBlock block, int slots)
    {
        float* staged = (float*)block.KeyScratch;
        int pairs = block.HeadDim / 2;
        int half = head->Width / 2;
        for (int first = 0; first < slots; first += Transposition.Block)
        {
            for (int slot = first; slot < Math.Min(first + Transposition.Block, slots); slot++)
            {
                Decode(head, unit.Keys, (slot, unit.Position(slot)), staged + ((slot - first) * head->Width));
            }
            // Pairs are a multiple of 8; columns of slots beyond the last are never looked at.
            for (int pair = 0; pair < pairs; pair += Transposition.Block)
            {
                float* real = block.Tile + (2 * pair * KvShape.PageTokens) + first;
                Transposition.Run(staged + pair, head->Width, real, 2 * KvShape.PageTokens);
                Transposition.Run(staged + half + pair, head->Width, real + KvShape.PageTokens, 2 * KvShape.PageTokens);
            }
        }
    }

    // Two vectors of pairs at a time: half a row is a multiple of 32.
    private static void Decode<TCode>(KeyHead* head, byte* part, (int Slot, int Position) at, float* row)
        where TCode : struct, ICodeRead
    {
        int width = head->Width;
        int half = width / 2;
        int step = width << TCode.SecondBits;
        TV norm = TL.Set(head->Scales[part[(head->Stages * TCode.PlaneBytes) + at.Slot]]);
        float* page = head->Pages + (at.Position / KvShape.PageTokens * width);
        float* turn = head->Slots + (at.Position % KvShape.PageTokens * width);
        for (int pair = 0; pair < half; pair += 2 * TL.Width)
        {
            TV firstReal = TL.Set(0f), firstReal2 = firstReal, firstImaginary = firstReal, firstImaginary2 = firstReal;
            TV secondReal = firstReal, secondReal2 = firstReal, secondImaginary = firstReal, secondImaginary2 = firstReal;
            float* first = head->First + pair;
            float* second = head->Second + pair;
            byte* plane = part;
            for (int stage = 0; stage < head->Stages; stage++)
            {
                int code = TCode.Read(plane, at.Slot);
                float* a = first + ((code >> TCode.SecondBits) * width);
                float* b = second + ((code & ((1 << TCode.SecondBits) - 1)) * width);
                firstReal = TL.Add(firstReal, TL.Load(a));
                firstReal2 = TL.Add(firstReal2, TL.Load(a + TL.Width));
                firstImaginary = TL.Add(firstImaginary, TL.Load(a + half));
                firstImaginary2 = TL.Add(firstImaginary2, TL.Load(a + half + TL.Width));
                secondReal = TL.Add(secondReal, TL.Load(b));
                secondReal2 = TL.Add(secondReal2, TL.Load(b + TL.Width));
                secondImaginary = TL.Add(secondImaginary, TL.Load(b + half));
                secondImaginary2 = TL.Add(secondImaginary2, TL.Load(b + half + TL.Width));
                first += step;
                second += step;
                plane += TCode.PlaneBytes;
            }
            var angle = new Angle(page, turn, half);
            // Z + iY: real parts less the imaginary parts of Y, imaginary parts plus its real ones.
            Turn(head, norm, TL.Subtract(firstReal, secondImaginary), TL.Add(firstImaginary, secondReal), angle.At(pair), row + pair);
            Turn(head, norm, TL.Subtract(firstReal2, secondImaginary2), TL.Add(firstImaginary2, secondReal2), angle.At(pair + TL.Width), row + pair + TL.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(KeyHead* head, TV norm, TV real, TV imaginary, Angle angle, float* row)
    {
        int half = head->Width / 2;
        real = TL.Fma(norm, real, TL.Load(head->Mean + angle.Pair));
        imaginary = TL.Fma(norm, imaginary, TL.Load(head->Mean + half + angle.Pair));
        TV cosine = TL.Subtract(TL.Multiply(angle.PageCosine, angle.SlotCosine), TL.Multiply(angle.PageSine, angle.SlotSine));
        TV sine = TL.Fma(angle.PageCosine, angle.SlotSine, TL.Multiply(angle.PageSine, angle.SlotCosine));
        TL.Store(row, TL.Subtract(TL.Multiply(real, cosine), TL.Multiply(imaginary, sine)));
        TL.Store(row + half, TL.Fma(real, sine, TL.Multiply(imaginary, cosine)));
    }

    /// <summary>cis of a position as two factors, at one vector of pairs.</summary>
    private readonly struct Angle(float* page, float* slot, int half, int pair = 0)
    {
        public int Pair => pair;

        public TV PageCosine => TL.Load(page + pair);

        public TV PageSine => TL.Load(page + half + pair);

        public TV SlotCosine => TL.Load(slot + pair);

        public TV SlotSine => TL.Load(slot + half + pair);

        public Angle At(int pair) => new(page, slot, half, pair);
    }
}
