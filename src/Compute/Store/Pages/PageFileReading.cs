using System.Buffers.Binary;

namespace Concertina.Compute.Store.Pages;

/// <summary>Looks at a record while a file is checked.</summary>
/// <param name="index">Place of the record.</param>
/// <param name="record">Its bytes, good during the call.</param>
/// <returns>What is wrong with it, or null.</returns>
internal delegate string? RecordLook(int index, ReadOnlySpan<byte> record);

/// <summary>
/// An open page file. First all of it is checked, one record in memory at a time; then records are read again, and each is checked
/// again, since nobody else has kept it meanwhile. One thread at a time.
/// </summary>
internal sealed class PageFileReading : IDisposable
{
    private readonly Stream _stream;
    private readonly PageFileHead _head;
    private readonly byte[] _trailer;
    private readonly IRecordSeal _seal;
    private readonly List<int> _lengths = [];
    private readonly byte[] _size = new byte[sizeof(int)];
    private readonly byte[] _tag;
    private int _next;

    /// <param name="stream">The file, which can seek; disposed with this.</param>
    /// <param name="head">Its head.</param>
    /// <param name="trailer">Its last bytes.</param>
    /// <param name="count">Records that the trailer claims.</param>
    public PageFileReading(Stream stream, PageFileHead head, byte[] trailer, int count)
    {
        (_stream, _head, _trailer, Count) = (stream, head, trailer, count);
        _seal = head.MakeSeal();
        _tag = new byte[_seal.SealBytes];
    }

    /// <summary>Records of the file.</summary>
    public int Count { get; }

    /// <summary>Bytes of a record, known once the file was checked.</summary>
    public int LengthOf(int index) => _lengths[index];

    /// <summary>Checks all of the file.</summary>
    /// <param name="mostBytes">Most bytes of a record that has a use.</param>
    /// <param name="look">Called for each record that is what was written, in order.</param>
    /// <param name="detail">Values for the log; empty without a fault.</param>
    /// <exception cref="IOException">The disk is gone.</exception>
    public SessionFileFault Check(int mostBytes, RecordLook look, out string detail)
    {
        using PageFileTrailer expected = new(_head);
        byte[] buffer = [];
        long end = _stream.Length - PageFileTrailer.Bytes;
        Rewind();
        _lengths.Clear();
        while (_next < Count && end - _stream.Position >= _size.Length + _tag.Length)
        {
            int bytes = ReadSize();
            if (bytes < 0 || bytes > mostBytes || bytes > end - _stream.Position - _tag.Length)
            {
                break;
            }
            buffer = buffer.Length < bytes ? new byte[bytes] : buffer;
            Span<byte> record = buffer.AsSpan(0, bytes);
            if (!TryOpen(record))
            {
                detail = $"record {_next} of {Count} before byte {_stream.Position} is not what was written there";
                return SessionFileFault.Damaged;
            }
            if (look(_next, record) is { } problem)
            {
                detail = problem;
                return SessionFileFault.Damaged;
            }
            expected.Add(_tag);
            _lengths.Add(bytes);
            _next++;
        }
        bool isWhole = _next == Count && _stream.Position == end && expected.ToBytes(_stream.Length).AsSpan().SequenceEqual(_trailer);
        detail = isWhole ? "" : $"{_next} of {Count} records are whole, up to byte {_stream.Position} of {_stream.Length}";
        return isWhole ? SessionFileFault.None : SessionFileFault.Damaged;
    }

    /// <summary>Begins again with the first record.</summary>
    public void Rewind()
    {
        _stream.Position = _head.Bytes.Length;
        _next = 0;
    }

    /// <summary>Reads the next record of a file that was checked.</summary>
    /// <returns>Null when it is not what it was.</returns>
    /// <exception cref="IOException">The disk is gone, or the file ends before.</exception>
    public byte[]? Next()
    {
        byte[] record = new byte[_lengths[_next]];
        return ReadSize() == record.Length && TryOpen(record) && ++_next > 0 ? record : null;
    }

    public void Dispose()
    {
        _seal.Dispose();
        _stream.Dispose();
    }

    private int ReadSize()
    {
        _stream.ReadExactly(_size);
        return BinaryPrimitives.ReadInt32LittleEndian(_size);
    }

    private bool TryOpen(Span<byte> record)
    {
        _stream.ReadExactly(record);
        _stream.ReadExactly(_tag);
        return _seal.TryOpen(_next, record, _tag);
    }
}
