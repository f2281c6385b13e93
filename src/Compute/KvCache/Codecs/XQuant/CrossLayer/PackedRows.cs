namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>
/// Codes of rows, each row from a byte of its own: low bits first, 3 bits as the row's plane of the low two bits and behind it
/// its plane of the third. Unused bits are 0.
/// </summary>
internal static class PackedRows
{
    /// <summary>Bytes of a row of codes.</summary>
    /// <param name="width">Codes of a row.</param>
    /// <param name="bits">Bits of a code: 8, 4, 3 or 2.</param>
    public static int RowBytes(int width, int bits) => bits == 3
        ? PlaneBytes(width, 2) + PlaneBytes(width, 1)
        : PlaneBytes(width, bits);

    /// <summary>Writes a row; all of its bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, Span<byte> row)
    {
        int lowBits = LatentPlanes.LowBits(bits);
        int lowBytes = PlaneBytes(codes.Length, lowBits);
        int perByte = 8 / lowBits;
        int mask = (1 << lowBits) - 1;
        row[..RowBytes(codes.Length, bits)].Clear();
        for (int i = 0; i < codes.Length; i++)
        {
            row[i / perByte] |= (byte)((codes[i] & mask) << (lowBits * (i % perByte)));
            if (bits == 3)
            {
                row[lowBytes + (i / 8)] |= (byte)((codes[i] >> 2) << (i % 8));
            }
        }
    }

    /// <summary>Reads a row.</summary>
    public static void Unpack(ReadOnlySpan<byte> row, int bits, Span<byte> codes)
    {
        int lowBits = LatentPlanes.LowBits(bits);
        int lowBytes = PlaneBytes(codes.Length, lowBits);
        int perByte = 8 / lowBits;
        int mask = (1 << lowBits) - 1;
        for (int i = 0; i < codes.Length; i++)
        {
            int code = (row[i / perByte] >> (lowBits * (i % perByte))) & mask;
            if (bits == 3)
            {
                code |= ((row[lowBytes + (i / 8)] >> (i % 8)) & 1) << 2;
            }
            codes[i] = (byte)code;
        }
    }

    private static int PlaneBytes(int width, int bits) => ((width * bits) + 7) / 8;
}
