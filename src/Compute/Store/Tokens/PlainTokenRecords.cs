using System.Buffers.Binary;

namespace Concertina.Compute.Store.Tokens;

/// <summary>Tokens as they are, sealed by a CRC-32C that continues the one before: against damage, not against an attacker.</summary>
internal sealed class PlainTokenRecords : ITokenRecords
{
    public int SealBytes => sizeof(uint);

    public int ByteCount(int tokens) => TokenBytes.CountBytes + (tokens * sizeof(int)) + SealBytes;

    public byte[] ToBytes(ReadOnlySpan<int> tokens, ReadOnlySpan<byte> previous)
    {
        byte[] bytes = new byte[ByteCount(tokens.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, tokens.Length);
        TokenBytes.Write(tokens, bytes.AsSpan(TokenBytes.CountBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^sizeof(uint)), Checksum(bytes.AsSpan(..^sizeof(uint)), previous));
        return bytes;
    }

    public SessionFileFault TryRead(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> previous, out int[] tokens)
    {
        tokens = [];
        SessionFileFault fault = TokenBytes.TryReadCount(bytes, ByteCount(0), out int count);
        if (fault != SessionFileFault.None)
        {
            return fault;
        }
        ReadOnlySpan<byte> sealedBytes = bytes[..(ByteCount(count) - SealBytes)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[sealedBytes.Length..]) != Checksum(sealedBytes, previous))
        {
            return SessionFileFault.Damaged;
        }
        tokens = TokenBytes.Read(sealedBytes[TokenBytes.CountBytes..]);
        return SessionFileFault.None;
    }

    public void Dispose()
    {
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> previous) =>
        SessionFileHeader.Checksum(bytes, previous.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(previous));
}
