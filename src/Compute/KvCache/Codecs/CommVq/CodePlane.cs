namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>
/// Codes of one stage of a page, slot after slot, as a little-endian stream of bits: 8, 12 or 6 bits a slot. A part is its
/// planes, most important first, and then 64 scale bytes, so that dropping the last planes is a copy.
/// </summary>
internal static class CodePlane
{
    /// <summary>Bytes of a plane.</summary>
    public static int Bytes(int bits) => KvShape.PageTokens * bits / 8;

    public static int Read(ReadOnlySpan<byte> plane, int bits, int slot)
    {
        int at = slot * bits;
        int word = plane[at >> 3];
        if ((at & 7) + bits > 8)
        {
            word |= plane[(at >> 3) + 1] << 8;
        }
        return (word >> (at & 7)) & ((1 << bits) - 1);
    }

    public static void Write(Span<byte> plane, int bits, int slot, int code)
    {
        int at = slot * bits;
        int shift = at & 7;
        int mask = ((1 << bits) - 1) << shift;
        int word = code << shift;
        plane[at >> 3] = (byte)((plane[at >> 3] & ~mask) | word);
        if (shift + bits > 8)
        {
            plane[(at >> 3) + 1] = (byte)((plane[(at >> 3) + 1] & ~(mask >> 8)) | (word >> 8));
        }
    }
}
