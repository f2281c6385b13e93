using System.Buffers.Binary;

namespace Concertina.Contracts.Sessions;

/// <summary>Token ids on the wire: 32-bit little-endian, back to back.</summary>
public static class TokenPacking
{
    /// <summary>
    /// Most bytes of tokens (or of any other bytes) that one message carries. The wire form is base64: 44 KiB become
    /// 58.7 KiB, which leaves room for the other members under the 64 KiB limit of a message.
    /// </summary>
    public const int MaxMessageBytes = 44 << 10;

    /// <summary>Packs token ids.</summary>
    public static byte[] Pack(ReadOnlySpan<int> tokens)
    {
        byte[] packed = new byte[tokens.Length * sizeof(int)];
        for (int i = 0; i < tokens.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(packed.AsSpan(i * sizeof(int)), tokens[i]);
        }
        return packed;
    }

    /// <summary>Unpacks token ids.</summary>
    /// <exception cref="ArgumentException">The length is not a whole number of tokens.</exception>
    public static int[] Unpack(ReadOnlySpan<byte> packed)
    {
        if (packed.Length % sizeof(int) != 0)
        {
            throw new ArgumentException($"Packed tokens have {packed.Length} bytes; a multiple of {sizeof(int)} is needed.", nameof(packed));
        }
        int[] tokens = new int[packed.Length / sizeof(int)];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = BinaryPrimitives.ReadInt32LittleEndian(packed[(i * sizeof(int))..]);
        }
        return tokens;
    }
}
