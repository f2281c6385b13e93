using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Concertina.Compute.KvCache.Prefix;

/// <summary>Chained hash of a prefix that ends with a full column: 128 bits of SHA-256 over (parent hash, 64 token ids).</summary>
internal readonly record struct ColumnHash(ulong High, ulong Low)
{
    private const int ParentBytes = 16;

    /// <summary>Root of a scope's chain.</summary>
    public static ColumnHash Root(PrefixScope scope) => new(scope.High, scope.Low);

    /// <summary>Hash of the column that follows this one.</summary>
    public ColumnHash Next(ReadOnlySpan<int> columnTokens)
    {
        Span<byte> message = stackalloc byte[ParentBytes + (KvShape.PageTokens * sizeof(int))];
        BinaryPrimitives.WriteUInt64LittleEndian(message, High);
        BinaryPrimitives.WriteUInt64LittleEndian(message[8..], Low);
        MemoryMarshal.AsBytes(columnTokens[..KvShape.PageTokens]).CopyTo(message[ParentBytes..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(message, digest);
        return new ColumnHash(BinaryPrimitives.ReadUInt64LittleEndian(digest), BinaryPrimitives.ReadUInt64LittleEndian(digest[8..]));
    }

    /// <summary>First 64 bits of the hashes of a prompt's full columns.</summary>
    /// <returns>Hashes written.</returns>
    public static int Chain(PrefixScope scope, ReadOnlySpan<int> tokens, Span<ulong> hashes)
    {
        ColumnHash at = Root(scope);
        int count = Math.Min(hashes.Length, tokens.Length / KvShape.PageTokens);
        for (int column = 0; column < count; column++)
        {
            at = at.Next(tokens[(column * KvShape.PageTokens)..]);
            hashes[column] = at.High;
        }
        return count;
    }
}
