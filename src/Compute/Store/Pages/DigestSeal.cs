using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Concertina.Compute.Store.Pages;

/// <summary>SHA-256 over the file's head, the position and the record: against damage and mistakes, not against an attacker.</summary>
internal sealed class DigestSeal : IRecordSeal
{
    private readonly byte[] _head;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="head">Digest of the file's head, salt included.</param>
    public DigestSeal(byte[] head) => _head = head;

    public int SealBytes => SHA256.HashSizeInBytes;

    public void Close(int index, Span<byte> record, Span<byte> seal) => Digest(index, record, seal);

    public bool TryOpen(int index, Span<byte> record, ReadOnlySpan<byte> seal)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Digest(index, record, digest);
        return digest.SequenceEqual(seal);
    }

    public void Dispose() => _hash.Dispose();

    private void Digest(int index, ReadOnlySpan<byte> record, Span<byte> digest)
    {
        Span<byte> place = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(place, index);
        BinaryPrimitives.WriteInt32LittleEndian(place[sizeof(int)..], record.Length);
        _hash.AppendData(_head);
        _hash.AppendData(place);
        _hash.AppendData(record);
        _hash.GetHashAndReset(digest);
    }
}
