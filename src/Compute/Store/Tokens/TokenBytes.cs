using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Concertina.Compute.Store.Tokens;

/// <summary>What all records of token files share: a count first, token ids as 32-bit little-endian numbers.</summary>
internal static class TokenBytes
{
    /// <summary>Bytes of a record's count.</summary>
    public const int CountBytes = sizeof(int);

    /// <summary>Reads a record's count and checks that the record can end where the bytes do.</summary>
    /// <param name="bytes">The rest of the file.</param>
    /// <param name="besideBytes">Bytes of a record beside its tokens.</param>
    /// <param name="count">Tokens of the record.</param>
    public static SessionFileFault TryReadCount(ReadOnlySpan<byte> bytes, int besideBytes, out int count)
    {
        count = 0;
        if (bytes.Length < CountBytes)
        {
            return SessionFileFault.HalfWritten;
        }
        count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (count < 1)
        {
            return SessionFileFault.Damaged;
        }
        return count > (bytes.Length - besideBytes) / sizeof(int) ? SessionFileFault.HalfWritten : SessionFileFault.None;
    }

    public static void Write(ReadOnlySpan<int> tokens, Span<byte> bytes)
    {
        Span<byte> payload = bytes[..(tokens.Length * sizeof(int))];
        MemoryMarshal.AsBytes(tokens).CopyTo(payload);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, int>(payload), MemoryMarshal.Cast<byte, int>(payload));
        }
    }

    public static int[] Read(ReadOnlySpan<byte> bytes)
    {
        int[] tokens = new int[bytes.Length / sizeof(int)];
        bytes.CopyTo(MemoryMarshal.AsBytes(tokens.AsSpan()));
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(tokens, tokens);
        }
        return tokens;
    }
}
