using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.Store.Pages;

/// <summary>
/// Head of a page file: the session header, then the hash of the formats, how records are sealed, a random salt, and SHA-256 of
/// all of it. The only place that knows these offsets.
/// </summary>
internal sealed class PageFileHead
{
    public const int MaxBytes = SessionFileHeader.MaxBytes + FormBytes;
    private const int HashBytes = SHA256.HashSizeInBytes;
    private const int SealAt = HashBytes;
    private const int SaltAt = SealAt + sizeof(int);
    private const int DigestAt = SaltAt + HashBytes;
    private const int FormBytes = DigestAt + HashBytes;
    private const int Plain = 0;
    private const int Encrypted = 1;
    private readonly byte[]? _key;
    private readonly byte[] _salt;

    private PageFileHead(SessionFileHeader session, byte[] bytes, byte[]? key)
    {
        Session = session;
        Bytes = bytes;
        Digest = bytes[^HashBytes..];
        _salt = bytes.AsSpan(bytes.Length - FormBytes + SaltAt, HashBytes).ToArray();
        _key = key;
    }

    public SessionFileHeader Session { get; }

    /// <summary>The head as it is written.</summary>
    public byte[] Bytes { get; }

    /// <summary>SHA-256 of everything before it.</summary>
    public byte[] Digest { get; }

    /// <summary>A new head with a salt of its own.</summary>
    /// <param name="owner">Whose units follow.</param>
    /// <param name="key">Key of the server; null: records are not encrypted.</param>
    public static PageFileHead Of(in PageFileOwner owner, byte[]? key)
    {
        SessionFileHeader session = SessionFileHeader.Of(owner.Session, SessionFileHeader.PageMagic);
        byte[] bytes = new byte[session.ByteCount + FormBytes];
        session.ToBytes().CopyTo(bytes, 0);
        Span<byte> form = bytes.AsSpan(session.ByteCount);
        FormatsHash(owner).CopyTo(form);
        BinaryPrimitives.WriteInt32LittleEndian(form[SealAt..], key is null ? Plain : Encrypted);
        RandomNumberGenerator.Fill(form[SaltAt..DigestAt]);
        SHA256.HashData(bytes.AsSpan(0, bytes.Length - HashBytes), form[DigestAt..]);
        return new PageFileHead(session, bytes, key);
    }

    /// <summary>Reads a head. The fault says why the file cannot be used by this owner.</summary>
    public static SessionFileFault TryRead(
        ReadOnlySpan<byte> file, in PageFileOwner owner, byte[]? key, out PageFileHead? head, out string detail)
    {
        head = null;
        SessionFileFault fault = SessionFileHeader.TryRead(file, SessionFileHeader.PageMagic, out SessionFileHeader session, out detail);
        if (fault != SessionFileFault.None || (fault = session.Check(owner.Session, out detail)) != SessionFileFault.None)
        {
            return fault;
        }
        int length = session.ByteCount + FormBytes;
        if (file.Length < length)
        {
            detail = $"the file has {file.Length} bytes, its head needs {length}";
            return SessionFileFault.HalfWritten;
        }
        if (!SHA256.HashData(file[..(length - HashBytes)]).AsSpan().SequenceEqual(file[(length - HashBytes)..length]))
        {
            detail = "the head's digest is wrong";
            return SessionFileFault.Damaged;
        }
        ReadOnlySpan<byte> form = file[session.ByteCount..length];
        int sealing = BinaryPrimitives.ReadInt32LittleEndian(form[SealAt..]);
        if (!FormatsHash(owner).AsSpan().SequenceEqual(form[..HashBytes]) || sealing != (key is null ? Plain : Encrypted))
        {
            detail = sealing == (key is null ? Plain : Encrypted)
                ? "the units have the forms of another KV profile, ladder or determinism class"
                : "Store:EncryptionKey was set or removed since it was written";
            return SessionFileFault.Formats;
        }
        head = new PageFileHead(session, file[..length].ToArray(), key);
        return SessionFileFault.None;
    }

    /// <summary>The seal of the records that follow.</summary>
    public IRecordSeal MakeSeal() => _key is null ? new DigestSeal(Digest) : new GcmSeal(_key, _salt, Digest);

    private static byte[] FormatsHash(in PageFileOwner owner) => SHA256.HashData(Encoding.UTF8.GetBytes(owner.Formats));
}
