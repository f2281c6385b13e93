using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
        int lowBits = LowBits(bits);
        Plane low = new(side, lowBits, codes.Length / Slots);
        Plane high = new(side, 1, codes.Length / Slots);
        Span<uint> highWords = words[PlaneWords(codes.Length / Slots, lowBits)..];
        for (int first = 0; first < codes.Length; first += Line)
        {
            Vector128<byte> line = Vector128.Create(codes.Slice(first, Line));
            Put(line & Vector128.Create((byte)((1 << lowBits) - 1)), low.At(first), words);
            if (bits == 3)
            {
                Put(line >>> 2, high.At(first), highWords);
            }
        }
    }

    /// <summary>Reads codes back, as <see cref="Pack"/> took them.</summary>
    public static void Unpack(KvSide side, int bits, ReadOnlySpan<uint> words, Span<byte> codes)
    {
        int lowBits = LowBits(bits);
        uint mask = (1u << lowBits) - 1;
        Plane low = new(side, lowBits, codes.Length / Slots);
        Plane high = new(side, 1, codes.Length / Slots);
        ReadOnlySpan<uint> highWords = words[PlaneWords(codes.Length / Slots, lowBits)..];
        for (int first = 0; first < codes.Length; first += Line)
        {
            (int word, int shift) = low.At(first);
            (int highWord, int highShift) = high.At(first);
            for (int i = 0; i < Line; i++)
            {
                uint third = bits == 3 ? ((highWords[highWord + i] >> highShift) & 1) << 2 : 0;
                codes[first + i] = (byte)(((words[word + i] >> shift) & mask) | third);
            }
        }
    }

    /// <summary>The words of a part.</summary>
    public static Span<uint> Words(Span<byte> part) => MemoryMarshal.Cast<byte, uint>(part);

    /// <summary>The words of a part.</summary>
    public static ReadOnlySpan<uint> Words(ReadOnlySpan<byte> part) => MemoryMarshal.Cast<byte, uint>(part);

    // 16 codes to one field of 16 words.
    private static void Put(Vector128<byte> codes, (int Word, int Shift) at, Span<uint> words)
    {
        (Vector128<ushort> lower, Vector128<ushort> upper) = Vector128.Widen(codes);
        ref uint target = ref words[at.Word];
        _ = words[at.Word + Line - 1];
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(lower);
        (Vector128<uint> c, Vector128<uint> d) = Vector128.Widen(upper);
        Or(a << at.Shift, ref target);
        Or(b << at.Shift, ref Unsafe.Add(ref target, 4));
        Or(c << at.Shift, ref Unsafe.Add(ref target, 8));
        Or(d << at.Shift, ref Unsafe.Add(ref target, 12));
    }

    private static void Or(Vector128<uint> field, ref uint target) => (Vector128.LoadUnsafe(ref target) | field).StoreUnsafe(ref target);

    /// <summary>One plane of codes of so many bits.</summary>
    private readonly struct Plane(KvSide side, int bits, int width)
    {
        /// <summary>First word and shift of 16 neighbouring codes.</summary>
        public (int Word, int Shift) At(int first)
        {
            int fields = WordBits / bits;
            if (side == KvSide.Keys)
            {
                (int channel, int slot) = (first / Slots, first % Slots);
                int share = fields / 4;
                return (channel / share * Line, bits * ((4 * (channel % share)) + (slot / Line)));
            }
            (int token, int latent) = (first / width, first % width);
            return (((latent / Line * (Slots / fields)) + (token / fields)) * Line, bits * (token % fields));
        }
    }
}
