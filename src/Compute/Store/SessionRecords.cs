using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Concertina.Compute.Store;

/// <summary>
/// Records of a session file, one per saved request: count, tokens (32-bit little-endian), CRC-32C that continues the one
/// of the record before. A record out of place fails its checksum, so what is read is always a prefix of what was written.
/// </summary>
internal static class SessionRecords
{
    private const int CountBytes = sizeof(int);
    private const int ChecksumBytes = sizeof(uint);

    public static int ByteCount(int tokens) => CountBytes + (tokens * sizeof(int)) + ChecksumBytes;

    public static byte[] ToBytes(ReadOnlySpan<int> tokens, uint previousChecksum)
    {
        byte[] bytes = new byte[ByteCount(tokens.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, tokens.Length);
        Span<byte> payload = bytes.AsSpan(CountBytes, tokens.Length * sizeof(int));
        MemoryMarshal.AsBytes(tokens).CopyTo(payload);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<byte, int>(payload), MemoryMarshal.Cast<byte, int>(payload));
        }
        uint checksum = SessionFileHeader.Checksum(bytes.AsSpan(..^ChecksumBytes), previousChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^ChecksumBytes), checksum);
        return bytes;
    }

    /// <summary>Reads the record at the start of the bytes.</summary>
    /// <param name="bytes">The rest of the file.</param>
    /// <param name="checksum">Checksum of the record before; afterwards of this one.</param>
    /// <param name="tokens">The record's tokens.</param>
    /// <returns>Whether the record is whole.</returns>
    public static SessionFileFault TryRead(ReadOnlySpan<byte> bytes, ref uint checksum, out int[] tokens)
    {
        tokens = [];
        if (bytes.Length < CountBytes)
        {
            return SessionFileFault.HalfWritten;
        }
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (count < 1)
        {
            return SessionFileFault.Damaged;
        }
        if (count > (bytes.Length - CountBytes - ChecksumBytes) / sizeof(int))
        {
            return SessionFileFault.HalfWritten;
        }
        int end = ByteCount(count) - ChecksumBytes;
        uint actual = SessionFileHeader.Checksum(bytes[..end], checksum);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[end..]) != actual)
        {
            return SessionFileFault.Damaged;
        }
        checksum = actual;
        tokens = new int[count];
        bytes[CountBytes..end].CopyTo(MemoryMarshal.AsBytes(tokens.AsSpan()));
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(tokens, tokens);
        }
        return SessionFileFault.None;
    }
}
