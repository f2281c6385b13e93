using System.Buffers.Binary;
using Concertina.Compute.KvCache.Codecs.RowQuant;

namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>
/// Rows quantised a token at a time in groups of 128 channels, the last may be shorter: packed codes [tokens], then scale and
/// minimum as two halves [tokens, groups], little-endian.
/// </summary>
/// <param name="Width">Channels of a row.</param>
/// <param name="Bits">Bits of a code: 8, 4, 3 or 2.</param>
internal readonly record struct TokenRows(int Width, int Bits)
{
    private const int Group = LatentPlanes.ValueGroup;

    private int RowBytes => PackedRows.RowBytes(Width, Bits);

    private int Groups => LatentPlanes.Groups(Width);

    /// <summary>Exact bytes of so many tokens.</summary>
    public int Bytes(int tokens) => tokens * (RowBytes + (Groups * sizeof(uint)));

    /// <summary>Writes rows [tokens, Width].</summary>
    /// <returns>False where a group is not finite or leaves the range of a half; it then reads as NaN.</returns>
    public bool Encode(ReadOnlySpan<float> rows, Span<byte> part)
    {
        int tokens = rows.Length / Width;
        Span<byte> scales = part[(tokens * RowBytes)..];
        Span<byte> codes = Width <= 4096 ? stackalloc byte[Width] : new byte[Width];
        bool finite = true;
        for (int token = 0; token < tokens; token++)
        {
            ReadOnlySpan<float> row = rows.Slice(token * Width, Width);
            for (int group = 0; group < Groups; group++)
            {
                int first = group * Group;
                finite &= RowQuantizer.TryQuantise(
                    row.Slice(first, Math.Min(Group, Width - first)), new(Bits, 1f), codes[first..], out uint halves);
                BinaryPrimitives.WriteUInt32LittleEndian(scales[(sizeof(uint) * ((token * Groups) + group))..], halves);
            }
            PackedRows.Pack(codes, Bits, part[(token * RowBytes)..]);
        }
        return finite;
    }

    /// <summary>Reads rows [tokens, Width]: code * scale + minimum.</summary>
    public void Decode(ReadOnlySpan<byte> part, Span<float> rows)
    {
        int tokens = rows.Length / Width;
        ReadOnlySpan<byte> scales = part[(tokens * RowBytes)..];
        Span<byte> codes = Width <= 4096 ? stackalloc byte[Width] : new byte[Width];
        for (int token = 0; token < tokens; token++)
        {
            PackedRows.Unpack(part[(token * RowBytes)..], Bits, codes);
            for (int channel = 0; channel < Width; channel++)
            {
                int at = sizeof(uint) * ((token * Groups) + (channel / Group));
                (float scale, float minimum) = LatentScale.Of(BinaryPrimitives.ReadUInt32LittleEndian(scales[at..]));
                rows[(token * Width) + channel] = (codes[channel] * scale) + minimum;
            }
        }
    }
}
