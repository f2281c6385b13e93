using System.Runtime.InteropServices;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// How a part holds codes: lines of 16 words, fields of p bits, so that one load, shift and mask give 16 neighbouring codes.
/// 3 bits are a plane of the low two and behind it a plane of the third. With F = 32 / p fields:
/// <code>
/// keys     line = channel / (F / 4), word = slot % 16, field = 4 * (channel % (F / 4)) + slot / 16
/// values   line = (channel / 16) * (64 / F) + slot / F, word = channel % 16, field = slot % F
/// </code>
/// Behind the codes, scale (low half) and minimum (high half) of a group as one word: keys [width], a channel over the page;
/// values [groups, 64], up to 128 channels of a token.
/// </summary>
internal static class LatentPlanes
{
    /// <summary>Words of a line.</summary>
    public const int Line = 16;

    /// <summary>Latents of a token that share a scale of values.</summary>
    public const int ValueGroup = 128;

    private const int WordBits = 32;
    private const int Slots = KvShape.PageTokens;

    /// <summary>Bits of the first plane.</summary>
    public static int LowBits(int bits) => bits == 3 ? 2 : bits;

    /// <summary>Words of one plane.</summary>
    public static int PlaneWords(int width, int planeBits) => width * Slots * planeBits / WordBits;

    /// <summary>Words of the codes.</summary>
    public static int CodeWords(int width, int bits) => PlaneWords(width, bits);

    /// <summary>Words of the scales.</summary>
    public static int ScaleWords(KvSide side, int width) => side == KvSide.Keys ? width : Groups(width) * Slots;

    /// <summary>Bytes of a part.</summary>
    /// <param name="side">Side.</param>
    /// <param name="width">Latents of a token; a multiple of 16.</param>
    /// <param name="bits">Bits of a code: 8, 4, 3 or 2.</param>
    public static int PartBytes(KvSide side, int width, int bits) => sizeof(uint) * (CodeWords(width, bits) + ScaleWords(side, width));

    /// <summary>Groups of a token's values.</summary>
    public static int Groups(int width) => (width + ValueGroup - 1) / ValueGroup;

    /// <summary>Writes codes into a cleared part.</summary>
    /// <param name="side">Side.</param>
    /// <param name="bits">Bits of a code.</param>
    /// <param name="codes">Keys [width, 64], values [64, width].</param>
    /// <param name="words">The part.</param>
    public static void Pack(KvSide side, int bits, ReadOnlySpan<byte> codes, Span<uint> words)
    {
        int width = codes.Length / Slots;
        int lowBits = LowBits(bits);
        uint mask = (1u << lowBits) - 1;
        Span<uint> high = words[PlaneWords(width, lowBits)..];
        for (int i = 0; i < codes.Length; i++)
        {
            (int slot, int channel) = side == KvSide.Keys ? (i % Slots, i / Slots) : (i / width, i % width);
            (int word, int shift) = Field(side, lowBits, slot, channel);
            words[word] |= (codes[i] & mask) << shift;
            if (bits == 3)
            {
                (word, shift) = Field(side, 1, slot, channel);
                high[word] |= (uint)(codes[i] >> 2) << shift;
            }
        }
    }

    /// <summary>Reads codes back, as <see cref="Pack"/> took them.</summary>
    public static void Unpack(KvSide side, int bits, ReadOnlySpan<uint> words, Span<byte> codes)
    {
        int width = codes.Length / Slots;
        int lowBits = LowBits(bits);
        uint mask = (1u << lowBits) - 1;
        ReadOnlySpan<uint> high = words[PlaneWords(width, lowBits)..];
        for (int i = 0; i < codes.Length; i++)
        {
            (int slot, int channel) = side == KvSide.Keys ? (i % Slots, i / Slots) : (i / width, i % width);
            (int word, int shift) = Field(side, lowBits, slot, channel);
            uint code = (words[word] >> shift) & mask;
            if (bits == 3)
            {
                (word, shift) = Field(side, 1, slot, channel);
                code |= ((high[word] >> shift) & 1) << 2;
            }
            codes[i] = (byte)code;
        }
    }

    /// <summary>The words of a part.</summary>
    public static Span<uint> Words(Span<byte> part) => MemoryMarshal.Cast<byte, uint>(part);

    /// <summary>The words of a part.</summary>
    public static ReadOnlySpan<uint> Words(ReadOnlySpan<byte> part) => MemoryMarshal.Cast<byte, uint>(part);

    private static (int Word, int Shift) Field(KvSide side, int planeBits, int slot, int channel)
    {
        int fields = WordBits / planeBits;
        if (side == KvSide.Keys)
        {
            int share = fields / 4;
            return ((channel / share * Line) + (slot % Line), planeBits * ((4 * (channel % share)) + (slot / Line)));
        }
        return ((((channel / Line * (Slots / fields)) + (slot / fields)) * Line) + (channel % Line), planeBits * (slot % fields));
    }
}
