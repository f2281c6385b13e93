using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Concertina.Compute.Store.Pages;

/// <summary>
/// Last bytes of a page file: magic, number of records, length of the file, SHA-256 over the head's digest and all seals. A file
/// without it was not written to its end.
/// </summary>
internal sealed class PageFileTrailer : IDisposable
{
    public const int Bytes = DigestAt + SHA256.HashSizeInBytes;
    private const ulong Magic = 0x31_44_4E_45_53_4E_4F_43; // "CONSEND1"
    private const int CountAt = sizeof(ulong);
    private const int LengthAt = CountAt + sizeof(int);
    private const int DigestAt = LengthAt + sizeof(long);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _count;

    /// <param name="head">Head of the file.</param>
    public PageFileTrailer(PageFileHead head) => _hash.AppendData(head.Digest);

    /// <summary>Records that a trailer counts, or null when these bytes are none of a file of this length.</summary>
    public static int? RecordCount(ReadOnlySpan<byte> trailer, long fileBytes) =>
        trailer.Length == Bytes
        && BinaryPrimitives.ReadUInt64LittleEndian(trailer) == Magic
        && BinaryPrimitives.ReadInt64LittleEndian(trailer[LengthAt..]) == fileBytes
            ? BinaryPrimitives.ReadInt32LittleEndian(trailer[CountAt..])
            : null;

    /// <summary>Counts a record.</summary>
    public void Add(ReadOnlySpan<byte> seal)
    {
        _hash.AppendData(seal);
        _count++;
    }

    /// <summary>The trailer of what was counted.</summary>
    /// <param name="fileBytes">Length of the file with it.</param>
    public byte[] ToBytes(long fileBytes)
    {
        byte[] bytes = new byte[Bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(CountAt), _count);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(LengthAt), fileBytes);
        _hash.AppendData(bytes.AsSpan(0, DigestAt));
        _hash.GetHashAndReset(bytes.AsSpan(DigestAt));
        return bytes;
    }

    public void Dispose() => _hash.Dispose();
}
