using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.Store.Tokens;

/// <summary>
/// Head of a token file: the session header, and where records are encrypted a random salt, HMAC-SHA256 of all before and CRC-32C of
/// all before. Keys are HKDF-SHA256 of the server's key and the salt. The only place that knows these offsets.
/// </summary>
/// <remarks>RFC 5869, RFC 2104. The epoch changes while the salt stays; a MAC, unlike GCM, may see many messages under one key.</remarks>
internal sealed class TokenFileHead
{
    public const int MaxBytes = SessionFileHeader.MaxBytes + FormBytes;
    private const int KeyBytes = 32;
    private const int SaltBytes = 32;
    private const int MacBytes = HMACSHA256.HashSizeInBytes;
    private const int MacAt = SaltBytes;
    private const int ChecksumAt = MacAt + MacBytes;
    private const int FormBytes = ChecksumAt + sizeof(uint);
    private static readonly byte[] HeadPurpose = "concertina token file head"u8.ToArray();
    private static readonly byte[] RecordPurpose = "concertina token file records"u8.ToArray();
    private readonly SessionFileHeader _session;
    private readonly byte[] _salt;
    private readonly byte[]? _key;

    private TokenFileHead(in SessionFileHeader session, byte[] salt, byte[]? key) => (_session, _salt, _key) = (session, salt, key);

    /// <summary>Epoch of the file's owner.</summary>
    public long Epoch => _session.Epoch;

    /// <summary>Bytes of the head.</summary>
    public int ByteCount => _session.ByteCount + (_key is null ? 0 : FormBytes);

    /// <summary>A new head with a salt of its own.</summary>
    /// <param name="owner">Whose tokens follow.</param>
    /// <param name="key">Key of the server; null: tokens are stored as they are.</param>
    public static TokenFileHead Of(in SessionIdentity owner, byte[]? key) => new(
        SessionOf(owner, key), key is null ? [] : RandomNumberGenerator.GetBytes(SaltBytes), key);

    /// <summary>The head of the same file under another epoch of its owner.</summary>
    public TokenFileHead WithOwner(in SessionIdentity owner) => new(SessionOf(owner, _key), _salt, _key);

    /// <summary>Reads a head. The fault says why the file cannot be used by this owner.</summary>
    public static SessionFileFault TryRead(
        ReadOnlySpan<byte> file, in SessionIdentity owner, byte[]? key, out TokenFileHead? head, out string detail)
    {
        head = null;
        SessionFileFault fault = SessionFileHeader.TryRead(file, SessionFileHeader.TokenMagic, out SessionFileHeader session, out detail);
        if (fault != SessionFileFault.None || (fault = session.Check(owner, out detail)) != SessionFileFault.None)
        {
            return fault;
        }
        if (session.Version == SessionFileHeader.PlainTokens != key is null)
        {
            detail = "Store:EncryptionKey was set or removed since it was written";
            return SessionFileFault.Formats;
        }
        return key is null ? Found(new TokenFileHead(session, [], null), out head) : TryReadForm(file, new TokenFileHead(session, [], key), out head, out detail);
    }

    public byte[] ToBytes()
    {
        byte[] session = _session.ToBytes();
        return _key is null ? session : [.. session, .. Form(session)];
    }

    /// <summary>How the records that follow are made and read.</summary>
    public ITokenRecords MakeRecords()
    {
        if (_key is null)
        {
            return new PlainTokenRecords();
        }
        byte[] own = Derive(_key, RecordPurpose);
        ITokenRecords records = new SealedTokenRecords(own, Identity());
        CryptographicOperations.ZeroMemory(own);
        return records;
    }

    private static SessionFileFault TryReadForm(ReadOnlySpan<byte> file, TokenFileHead plain, out TokenFileHead? head, out string detail)
    {
        head = null;
        int length = plain.ByteCount;
        if (file.Length < length)
        {
            detail = $"the file has {file.Length} bytes, its head needs {length}";
            return SessionFileFault.HalfWritten;
        }
        ReadOnlySpan<byte> form = file[(length - FormBytes)..length];
        TokenFileHead read = new(plain._session, form[..SaltBytes].ToArray(), plain._key);
        ReadOnlySpan<byte> expected = read.Form(file[..(length - FormBytes)]);
        uint checksum = SessionFileHeader.Checksum(file[..(length - sizeof(uint))]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(form[ChecksumAt..]) != checksum)
        {
            detail = "the head's checksum is wrong";
            return SessionFileFault.Damaged;
        }
        if (!CryptographicOperations.FixedTimeEquals(expected[MacAt..ChecksumAt], form[MacAt..ChecksumAt]))
        {
            detail = "it was encrypted under another Store:EncryptionKey, or somebody has changed it";
            return SessionFileFault.Formats;
        }
        detail = "";
        return Found(read, out head);
    }

    private static SessionFileFault Found(TokenFileHead found, out TokenFileHead head)
    {
        head = found;
        return SessionFileFault.None;
    }

    private static SessionFileHeader SessionOf(in SessionIdentity owner, byte[]? key) => SessionFileHeader.Of(owner) with
    {
        Version = key is null ? SessionFileHeader.PlainTokens : SessionFileHeader.SealedTokens,
    };

    private byte[] Form(ReadOnlySpan<byte> session)
    {
        byte[] form = new byte[FormBytes];
        _salt.CopyTo(form, 0);
        byte[] own = Derive(_key!, HeadPurpose);
        byte[] salted = [.. session, .. _salt];
        HMACSHA256.HashData(own, salted, form.AsSpan(MacAt));
        CryptographicOperations.ZeroMemory(own);
        uint checksum = SessionFileHeader.Checksum(form.AsSpan(..ChecksumAt), SessionFileHeader.Checksum(session));
        BinaryPrimitives.WriteUInt32LittleEndian(form.AsSpan(ChecksumAt), checksum);
        return form;
    }

    // All of the head that stays for the life of the file: what records are bound to. Fixed lengths first, so that nothing can be read in two ways.
    private byte[] Identity() => SHA256.HashData([.. _session.ModelHash, .. _session.TenantHash, .. _salt, .. Encoding.UTF8.GetBytes(_session.Key)]);

    private byte[] Derive(byte[] key, byte[] purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, KeyBytes, _salt, purpose);
}
