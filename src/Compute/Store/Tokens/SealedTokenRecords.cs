using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Concertina.Compute.Store.Tokens;

/// <summary>
/// AES-256-GCM with a key of the file's own. A record is its count, a random nonce, the encrypted tokens and the tag. The nonce is
/// random because a session may write other tokens at the same place; the file's identity, the count and the tag of the record
/// before are associated data, so that a record is good at one place of one file only.
/// </summary>
/// <remarks>NIST SP 800-38D, section 8.2.2 (random nonces, up to 2^32 records a key).</remarks>
internal sealed class SealedTokenRecords : ITokenRecords
{
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private const int NonceAt = TokenBytes.CountBytes;
    private const int TokensAt = NonceAt + NonceBytes;
    private readonly byte[] _file;
    private readonly AesGcm _aes;

    /// <param name="key">Key of the file, 32 bytes.</param>
    /// <param name="file">What the file is bound to: a digest of model, tenant, session and salt.</param>
    public SealedTokenRecords(ReadOnlySpan<byte> key, byte[] file)
    {
        _aes = new AesGcm(key, TagBytes);
        _file = file;
    }

    public int SealBytes => TagBytes;

    public int ByteCount(int tokens) => TokensAt + (tokens * sizeof(int)) + TagBytes;

    public byte[] ToBytes(ReadOnlySpan<int> tokens, ReadOnlySpan<byte> previous)
    {
        byte[] bytes = new byte[ByteCount(tokens.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, tokens.Length);
        Span<byte> nonce = bytes.AsSpan(NonceAt, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        Span<byte> payload = bytes.AsSpan(TokensAt..^TagBytes);
        TokenBytes.Write(tokens, payload);
        _aes.Encrypt(nonce, payload, payload, bytes.AsSpan(^TagBytes), Associated(bytes, previous));
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
        ReadOnlySpan<byte> record = bytes[..ByteCount(count)];
        byte[] payload = new byte[count * sizeof(int)];
        try
        {
            _aes.Decrypt(record.Slice(NonceAt, NonceBytes), record[TokensAt..^TagBytes], record[^TagBytes..], payload, Associated(record, previous));
        }
        catch (AuthenticationTagMismatchException)
        {
            return SessionFileFault.Damaged;
        }
        tokens = TokenBytes.Read(payload);
        return SessionFileFault.None;
    }

    public void Dispose() => _aes.Dispose();

    private byte[] Associated(ReadOnlySpan<byte> record, ReadOnlySpan<byte> previous) => [.. _file, .. record[..TokenBytes.CountBytes], .. previous];
}
