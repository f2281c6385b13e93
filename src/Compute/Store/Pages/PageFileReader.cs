using System.Buffers.Binary;

namespace Concertina.Compute.Store.Pages;

/// <summary>Reads a whole page file and checks all of it before it gives anything: a file is used whole or not at all.</summary>
internal static class PageFileReader
{
    private const int MaxRecordBytes = 1 << 30;

    /// <param name="stream">The file, which can seek.</param>
    /// <param name="owner">Who wants its units.</param>
    /// <param name="key">Key of the server; null: records are not encrypted.</param>
    public static PageFileContent Read(Stream stream, in PageFileOwner owner, byte[]? key)
    {
        long length = stream.Length;
        byte[] start = new byte[Math.Min(length, PageFileHead.MaxBytes)];
        stream.ReadExactly(start);
        SessionFileFault fault = PageFileHead.TryRead(start, owner, key, out PageFileHead? head, out string detail);
        if (head is null)
        {
            return PageFileContent.Nothing(fault, detail);
        }
        byte[] trailer = new byte[Math.Clamp(length - head.Bytes.Length, 0, PageFileTrailer.Bytes)];
        stream.Position = length - trailer.Length;
        stream.ReadExactly(trailer);
        if (PageFileTrailer.RecordCount(trailer, length) is not { } count)
        {
            return PageFileContent.Nothing(SessionFileFault.HalfWritten, $"the file of {length} bytes does not end as it should");
        }
        stream.Position = head.Bytes.Length;
        return ReadRecords(stream, head, count, trailer);
    }

    private static PageFileContent ReadRecords(Stream stream, PageFileHead head, int count, byte[] trailer)
    {
        using IRecordSeal seal = head.MakeSeal();
        using PageFileTrailer expected = new(head);
        List<byte[]> records = [];
        byte[] tag = new byte[seal.SealBytes];
        byte[] size = new byte[sizeof(int)];
        long end = stream.Length - PageFileTrailer.Bytes;
        while (records.Count < count && end - stream.Position >= size.Length + tag.Length)
        {
            stream.ReadExactly(size);
            int bytes = BinaryPrimitives.ReadInt32LittleEndian(size);
            if (bytes is < 0 or > MaxRecordBytes || bytes > end - stream.Position - tag.Length)
            {
                break;
            }
            byte[] record = new byte[bytes];
            stream.ReadExactly(record);
            stream.ReadExactly(tag);
            if (!seal.TryOpen(records.Count, record, tag))
            {
                return PageFileContent.Nothing(SessionFileFault.Damaged, $"record {records.Count} of {count} before byte {stream.Position} is not what was written there");
            }
            expected.Add(tag);
            records.Add(record);
        }
        return records.Count == count && stream.Position == end && expected.ToBytes(stream.Length).AsSpan().SequenceEqual(trailer)
            ? new PageFileContent(records, SessionFileFault.None, "")
            : PageFileContent.Nothing(SessionFileFault.Damaged, $"{records.Count} of {count} records are whole, up to byte {stream.Position} of {stream.Length}");
    }
}
