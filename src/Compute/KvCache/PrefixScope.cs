using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.KvCache;

/// <summary>Who may share prefix columns: the root of the hash chain. Hits never cross tenants.</summary>
/// <param name="High">Upper half of the salted root.</param>
/// <param name="Low">Lower half of the salted root.</param>
public readonly record struct PrefixScope(ulong High, ulong Low)
{
    /// <summary>Scope of a tenant, narrowed by a salt if the request names one.</summary>
    /// <remarks>First 128 bits of SHA-256 over the length-prefixed parts, so that no two pairs spell the same bytes.</remarks>
    public static PrefixScope For(string tenantId, string? cacheSalt)
    {
        ArgumentNullException.ThrowIfNull(tenantId);
        byte[] tenant = Encoding.UTF8.GetBytes(tenantId);
        byte[] salt = cacheSalt is null ? [] : Encoding.UTF8.GetBytes(cacheSalt);
        byte[] message = new byte[sizeof(int) + tenant.Length + 1 + salt.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, tenant.Length);
        tenant.CopyTo(message.AsSpan(sizeof(int)));
        message[sizeof(int) + tenant.Length] = cacheSalt is null ? (byte)0 : (byte)1;
        salt.CopyTo(message.AsSpan(sizeof(int) + tenant.Length + 1));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(message, digest);
        return new PrefixScope(BinaryPrimitives.ReadUInt64LittleEndian(digest), BinaryPrimitives.ReadUInt64LittleEndian(digest[8..]));
    }
}
