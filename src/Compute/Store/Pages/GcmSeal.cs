using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Concertina.Compute.Store.Pages;

/// <summary>
/// AES-256-GCM with a key of the file's own, HKDF-SHA256 of the server's key and the file's random salt, so that positions may
/// serve as nonces. The file's head, the position and the length are associated data.
/// </summary>
/// <remarks>NIST SP 800-38D, section 8.2.1 (deterministic nonces); RFC 5869.</remarks>
internal sealed class GcmSeal : IRecordSeal
{
    private const int TagBytes = 16;
    private const int NonceBytes = 12;
    private static readonly byte[] Purpose = "concertina page file"u8.ToArray();
    private readonly byte[] _associated;
    private readonly AesGcm _aes;

    /// <param name="key">The server's key, 32 bytes.</param>
    /// <param name="salt">Random bytes of this file.</param>
    /// <param name="head">Digest of the file's head.</param>
    public GcmSeal(byte[] key, byte[] salt, byte[] head)
    {
        byte[] own = HKDF.DeriveKey(HashAlgorithmName.SHA256, key, key.Length, salt, Purpose);
        _aes = new AesGcm(own, TagBytes);
        CryptographicOperations.ZeroMemory(own);
        _associated = [.. head, .. new byte[2 * sizeof(int)]];
    }

    public int SealBytes => TagBytes;

    public void Close(int index, Span<byte> record, Span<byte> seal)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Place(index, record.Length, nonce);
        _aes.Encrypt(nonce, record, record, seal, _associated);
    }

    public bool TryOpen(int index, Span<byte> record, ReadOnlySpan<byte> seal)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Place(index, record.Length, nonce);
        try
        {
            _aes.Decrypt(nonce, record, seal, record, _associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();

    private void Place(int index, int length, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(nonce, index);
        Span<byte> place = _associated.AsSpan(_associated.Length - (2 * sizeof(int)));
        BinaryPrimitives.WriteInt32LittleEndian(place, index);
        BinaryPrimitives.WriteInt32LittleEndian(place[sizeof(int)..], length);
    }
}
