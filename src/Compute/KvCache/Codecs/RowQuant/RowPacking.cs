using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// Codes to words and back. Codes lie [count, lanes], one byte each; word (line, lane) holds codes line * P + j of its lane
/// in field j of the low half and codes count / 2 + line * P + j in field j of the high half, P = 16 / bits. count is a
/// multiple of 16, lanes of 16.
/// </summary>
internal static class RowPacking
{
    /// <summary>Lines of words.</summary>
    public static int Lines(int count, int bits) => count * bits / 32;

    public static void Pack(ReadOnlySpan<byte> codes, int lanes, int bits, Span<uint> words)
    {
        int half = codes.Length / 2;
        int perLine = 16 / bits;
        ref byte code = ref MemoryMarshal.GetReference(codes);
        ref uint word = ref MemoryMarshal.GetReference(words[..(codes.Length * bits / 32)]);
        for (int line = 0; line < half / (perLine * lanes); line++)
        {
            for (int lane = 0; lane < lanes; lane += 16)
            {
                nuint first = (nuint)((line * perLine * lanes) + lane);
                (Vector128<ushort> lowA, Vector128<ushort> lowB) = Fields(ref code, first, (nuint)lanes, bits);
                (Vector128<ushort> highA, Vector128<ushort> highB) = Fields(ref code, first + (nuint)half, (nuint)lanes, bits);
                nuint at = (nuint)((line * lanes) + lane);
                (Vector128.WidenLower(lowA) | (Vector128.WidenLower(highA) << 16)).StoreUnsafe(ref word, at);
                (Vector128.WidenUpper(lowA) | (Vector128.WidenUpper(highA) << 16)).StoreUnsafe(ref word, at + 4);
                (Vector128.WidenLower(lowB) | (Vector128.WidenLower(highB) << 16)).StoreUnsafe(ref word, at + 8);
                (Vector128.WidenUpper(lowB) | (Vector128.WidenUpper(highB) << 16)).StoreUnsafe(ref word, at + 12);
            }
        }
    }

    public static void Unpack(ReadOnlySpan<uint> words, int lanes, int bits, Span<byte> codes)
    {
        int half = codes.Length / 2;
        int perLine = 16 / bits;
        ref byte code = ref MemoryMarshal.GetReference(codes);
        ref uint word = ref MemoryMarshal.GetReference(words[..(codes.Length * bits / 32)]);
        Vector256<uint> mask = Vector256.Create((1u << bits) - 1);
        for (int line = 0; line < half / (perLine * lanes); line++)
        {
            for (int lane = 0; lane < lanes; lane += 16)
            {
                Vector256<uint> a = Vector256.LoadUnsafe(ref word, (nuint)((line * lanes) + lane));
                Vector256<uint> b = Vector256.LoadUnsafe(ref word, (nuint)((line * lanes) + lane + 8));
                nuint at = (nuint)((line * perLine * lanes) + lane);
                for (int shift = 0; shift < 16; shift += bits, at += (nuint)lanes)
                {
                    Bytes((a >> shift) & mask, (b >> shift) & mask).StoreUnsafe(ref code, at);
                    Bytes((a >> (shift + 16)) & mask, (b >> (shift + 16)) & mask).StoreUnsafe(ref code, at + (nuint)half);
                }
            }
        }
    }

    private static Vector128<byte> Bytes(Vector256<uint> first, Vector256<uint> second)
    {
        Vector256<ushort> narrow = Vector256.Narrow(first, second);
        return Vector128.Narrow(narrow.GetLower(), narrow.GetUpper());
    }

    // The fields of 16 lanes' half words: every code is loaded from inside codes, as first + (perLine - 1) * lanes + 16 is.
    private static (Vector128<ushort> A, Vector128<ushort> B) Fields(ref byte codes, nuint first, nuint lanes, int bits)
    {
        Vector128<ushort> a = Vector128<ushort>.Zero;
        Vector128<ushort> b = Vector128<ushort>.Zero;
        for (int shift = 0; shift < 16; shift += bits, first += lanes)
        {
            Vector128<byte> code = Vector128.LoadUnsafe(ref codes, first);
            a |= Vector128.WidenLower(code) << shift;
            b |= Vector128.WidenUpper(code) << shift;
        }
        return (a, b);
    }
}
