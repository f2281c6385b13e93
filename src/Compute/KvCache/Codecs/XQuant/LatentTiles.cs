using System.Runtime.CompilerServices;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Parts as latents: x^ = code * scale + minimum, and the constant latent where there is a bias. The product is exact, so the
/// fused form has the bits of the plain one. Bounds: the part is a whole one of this width and these bits; a tile has Stride
/// latents of 64 slots.
/// </summary>
internal static unsafe class LatentTiles<TL, TV, TBits>
    where TL : struct, ILanes<TV>
    where TV : struct
    where TBits : struct, ILatentBits
{
    private const int Slots = KvShape.PageTokens;

    /// <summary>Keys, [Stride, 64].</summary>
    public static void Keys(LatentHead* head, uint* part, float* tile)
    {
        int width = head->Width;
        int lowBits = LatentPlanes.LowBits(TBits.Bits);
        int share = 8 / lowBits;
        uint mask = (1u << lowBits) - 1;
        uint* high = part + LatentPlanes.PlaneWords(width, lowBits);
        uint* scales = part + LatentPlanes.CodeWords(width, TBits.Bits);
        float* factors = stackalloc float[2 * LatentPlanes.Line];
        float* row = tile;
        for (int channel = 0; channel < width; channel++, row += Slots)
        {
            if (channel % LatentPlanes.Line == 0)
            {
                Halves(scales + channel, factors, factors + LatentPlanes.Line);
            }
            TV scale = TL.Set(factors[channel % LatentPlanes.Line]);
            TV minimum = TL.Set(factors[LatentPlanes.Line + (channel % LatentPlanes.Line)]);
            uint* line = part + (channel / share * LatentPlanes.Line);
            uint* highLine = high + (channel / 8 * LatentPlanes.Line);
            int shift = lowBits * 4 * (channel % share);
            for (int quarter = 0; quarter < 4; quarter++, shift += lowBits)
            {
                for (int lane = 0; lane < LatentPlanes.Line; lane += TL.Width)
                {
                    TV code = TL.ToFloats(TL.Field(TL.Load((float*)(line + lane)), shift, mask));
                    if (TBits.Bits == 3)
                    {
                        code = Third(code, highLine + lane, (4 * (channel % 8)) + quarter);
                    }
                    TL.Store(row + (LatentPlanes.Line * quarter) + lane, TL.Fma(code, scale, minimum));
                }
            }
        }
        for (int slot = 0; head->Inner > width && slot < Slots; slot++)
        {
            row[slot] = 1f;
        }
    }

    /// <summary>The first slots of values, [slots, Stride].</summary>
    public static void Values(LatentHead* head, uint* part, int slots, float* tile)
    {
        int width = head->Width;
        int lowBits = LatentPlanes.LowBits(TBits.Bits);
        int fields = 32 / lowBits;
        uint mask = (1u << lowBits) - 1;
        uint* high = part + LatentPlanes.PlaneWords(width, lowBits);
        uint* scales = part + LatentPlanes.CodeWords(width, TBits.Bits);
        float* factors = stackalloc float[2 * Slots];
        for (int channel = 0; channel < width; channel += LatentPlanes.Line)
        {
            if (channel % LatentPlanes.ValueGroup == 0)
            {
                uint* group = scales + (channel / LatentPlanes.ValueGroup * Slots);
                for (int slot = 0; slot < slots; slot += LatentPlanes.Line)
                {
                    Halves(group + slot, factors + slot, factors + Slots + slot);
                }
            }
            uint* lines = part + (channel / LatentPlanes.Line * (Slots / fields) * LatentPlanes.Line);
            uint* highLines = high + (channel / LatentPlanes.Line * (Slots / 32) * LatentPlanes.Line);
            float* column = tile + channel;
            for (int slot = 0; slot < slots; slot++, column += head->Stride)
            {
                TV scale = TL.Set(factors[slot]);
                TV minimum = TL.Set(factors[Slots + slot]);
                uint* line = lines + (slot / fields * LatentPlanes.Line);
                uint* highLine = highLines + (slot / 32 * LatentPlanes.Line);
                for (int lane = 0; lane < LatentPlanes.Line; lane += TL.Width)
                {
                    TV code = TL.ToFloats(TL.Field(TL.Load((float*)(line + lane)), lowBits * (slot % fields), mask));
                    if (TBits.Bits == 3)
                    {
                        code = Third(code, highLine + lane, slot % 32);
                    }
                    TL.Store(column + lane, TL.Fma(code, scale, minimum));
                }
            }
        }
        for (int slot = 0; head->Stride > width && slot < slots; slot++)
        {
            new Span<float>(tile + (slot * head->Stride) + width, head->Stride - width).Clear();
            tile[(slot * head->Stride) + width] = 1f;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TV Third(TV code, uint* words, int shift) =>
        TL.Fma(TL.ToFloats(TL.Field(TL.Load((float*)words), shift, 1)), TL.Set(4f), code);

    private static void Halves(uint* words, float* scales, float* minimums)
    {
        for (int lane = 0; lane < LatentPlanes.Line; lane += TL.Width)
        {
            TL.LoadHalves(words + lane, out TV scale, out TV minimum);
            TL.Store(scales + lane, scale);
            TL.Store(minimums + lane, minimum);
        }
    }
}
