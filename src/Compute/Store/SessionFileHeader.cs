using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.Store;

/// <summary>
/// First bytes of a session's files, of tokens or of pages: magic, version, header length, model hash, tenant hash, epoch, key
/// length, key, CRC-32C of all of it. Little-endian. The only place that knows these offsets.
/// </summary>
internal readonly record struct SessionFileHeader(ulong Magic, uint Version, byte[] ModelHash, byte[] TenantHash, long Epoch, string Key)
{
    /// <summary>Begins a file of tokens: "CONSTOK1".</summary>
    public const ulong TokenMagic = 0x31_4B_4F_54_53_4E_4F_43;

    /// <summary>Begins a file of pages: "CONSPAG1".</summary>
    public const ulong PageMagic = 0x31_47_41_50_53_4E_4F_43;

    public const int MaxBytes = FixedBytes + MaxKeyBytes + ChecksumBytes;

    /// <summary>Version of a file of tokens stored as they are.</summary>
    public const uint PlainTokens = 1;

    /// <summary>Version of a file of encrypted tokens.</summary>
    public const uint SealedTokens = 2;

    // 2: the last queries that eviction looks at are in the file.
    private const uint NewestPages = 2;
    private const int VersionAt = 8;
    private const int LengthAt = 12;
    private const int ModelAt = 16;
    private const int TenantAt = 48;
    private const int EpochAt = 80;
    private const int KeyLengthAt = 88;
    private const int FixedBytes = 92;
    private const int ChecksumBytes = 4;
    private const int MaxKeyBytes = 2048;

    public static SessionFileHeader Of(in SessionIdentity identity, ulong magic = TokenMagic) =>
        new(magic, magic == PageMagic ? NewestPages : PlainTokens, Hash(identity.ModelHash), Hash(identity.TenantId), identity.Epoch, identity.Key);

    public int ByteCount => FixedBytes + Encoding.UTF8.GetByteCount(Key) + ChecksumBytes;

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[ByteCount];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(VersionAt), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(LengthAt), bytes.Length);
        ModelHash.CopyTo(bytes, ModelAt);
        TenantHash.CopyTo(bytes, TenantAt);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(EpochAt), Epoch);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(KeyLengthAt), bytes.Length - FixedBytes - ChecksumBytes);
        Encoding.UTF8.GetBytes(Key, bytes.AsSpan(FixedBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^ChecksumBytes), Checksum(bytes.AsSpan(..^ChecksumBytes)));
        return bytes;
    }

    /// <summary>Reads a header. The fault says why it cannot be used.</summary>
    public static SessionFileFault TryRead(ReadOnlySpan<byte> file, ulong magic, out SessionFileHeader header, out string detail)
    {
        header = default;
        if (file.Length < FixedBytes + ChecksumBytes)
        {
            detail = $"the file has {file.Length} bytes, its header needs at least {FixedBytes + ChecksumBytes}";
            return SessionFileFault.HalfWritten;
        }
        if (BinaryPrimitives.ReadUInt64LittleEndian(file) != magic)
        {
            detail = "the magic number is wrong";
            return SessionFileFault.Damaged;
        }
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[VersionAt..]);
        int length = BinaryPrimitives.ReadInt32LittleEndian(file[LengthAt..]);
        (uint oldest, uint newest) = magic == PageMagic ? (NewestPages, NewestPages) : (PlainTokens, SealedTokens);
        if (version < oldest || version > newest)
        {
            detail = $"the file has version {version}, this server reads versions {oldest} to {newest}";
            return SessionFileFault.Version;
        }
        if (length < FixedBytes + ChecksumBytes || length > MaxBytes
            || BinaryPrimitives.ReadInt32LittleEndian(file[KeyLengthAt..]) != length - FixedBytes - ChecksumBytes)
        {
            detail = $"the header claims {length} bytes with a key of {BinaryPrimitives.ReadInt32LittleEndian(file[KeyLengthAt..])}";
            return SessionFileFault.Damaged;
        }
        if (length > file.Length)
        {
            detail = $"the header has {length} bytes, the file {file.Length}";
            return SessionFileFault.HalfWritten;
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[(length - ChecksumBytes)..]) != Checksum(file[..(length - ChecksumBytes)]))
        {
            detail = "the header's checksum is wrong";
            return SessionFileFault.Damaged;
        }
        header = new SessionFileHeader(
            magic,
            version,
            file.Slice(ModelAt, TenantAt - ModelAt).ToArray(),
            file.Slice(TenantAt, EpochAt - TenantAt).ToArray(),
            BinaryPrimitives.ReadInt64LittleEndian(file[EpochAt..]),
            Encoding.UTF8.GetString(file[FixedBytes..(length - ChecksumBytes)]));
        detail = "";
        return SessionFileFault.None;
    }

    /// <summary>The session key a file was written for; null if its header cannot be read.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string? KeyOf(string path, ulong magic)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] head = new byte[Math.Min(file.Length, MaxBytes)];
        file.ReadExactly(head);
        return TryRead(head, magic, out SessionFileHeader header, out _) == SessionFileFault.None ? header.Key : null;
    }

    /// <summary>Whether a file with this header may be used by an owner.</summary>
    public SessionFileFault Check(in SessionIdentity owner, out string detail)
    {
        SessionFileHeader expected = Of(owner, Magic);
        if (!ModelHash.AsSpan().SequenceEqual(expected.ModelHash))
        {
            detail = "the file was written under another model";
            return SessionFileFault.Foreign;
        }
        if (!TenantHash.AsSpan().SequenceEqual(expected.TenantHash) || Key != expected.Key)
        {
            detail = "the file belongs to another tenant or session";
            return SessionFileFault.Foreign;
        }
        detail = Epoch > owner.Epoch ? $"the file has epoch {Epoch}, this owner {owner.Epoch}" : "";
        return Epoch > owner.Epoch ? SessionFileFault.StaleEpoch : SessionFileFault.None;
    }

    /// <summary>CRC-32C (Castagnoli) of the bytes, continued from an earlier one.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes, uint previous = 0)
    {
        uint crc = ~previous;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }
        return ~crc;
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
