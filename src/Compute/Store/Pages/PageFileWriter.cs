using System.Buffers.Binary;

namespace Concertina.Compute.Store.Pages;

/// <summary>Writes one page file: head, records (length, bytes, seal), trailer. What ends before <see cref="Finish"/> is no page file.</summary>
internal sealed class PageFileWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly IRecordSeal _seal;
    private readonly PageFileTrailer _trailer;
    private int _index;

    /// <summary>Begins the file.</summary>
    /// <param name="stream">Where it goes; the caller disposes it.</param>
    /// <param name="head">Its head.</param>
    public PageFileWriter(Stream stream, PageFileHead head)
    {
        _stream = stream;
        _seal = head.MakeSeal();
        _trailer = new PageFileTrailer(head);
        stream.Write(head.Bytes);
        WrittenBytes = head.Bytes.Length;
    }

    /// <summary>Bytes written so far.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>Adds a record. Its bytes are encrypted in place where encryption is on, so the caller does not use them again.</summary>
    public void Add(Span<byte> record)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        Span<byte> seal = stackalloc byte[_seal.SealBytes];
        BinaryPrimitives.WriteInt32LittleEndian(length, record.Length);
        _seal.Close(_index++, record, seal);
        _trailer.Add(seal);
        _stream.Write(length);
        _stream.Write(record);
        _stream.Write(seal);
        WrittenBytes += length.Length + record.Length + seal.Length;
    }

    /// <summary>Ends the file.</summary>
    public void Finish()
    {
        WrittenBytes += PageFileTrailer.Bytes;
        _stream.Write(_trailer.ToBytes(WrittenBytes));
        _stream.Flush();
    }

    public void Dispose()
    {
        _seal.Dispose();
        _trailer.Dispose();
    }
}
