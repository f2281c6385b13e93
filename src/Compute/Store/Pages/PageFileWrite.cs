namespace Concertina.Compute.Store.Pages;

/// <summary>
/// A page file on its way to the disk, under a temporary name until it is whole. Disposing one that was not committed removes it.
/// One thread at a time.
/// </summary>
internal sealed class PageFileWrite : IDisposable
{
    private readonly PageFileStore _store;
    private readonly Stream _stream;
    private readonly PageFileWriter _writer;

    internal PageFileWrite(PageFileStore store, in PageFileOwner owner, Stream stream, PageFileHead head)
    {
        (_store, Owner, _stream) = (store, owner, stream);
        _writer = new PageFileWriter(stream, head);
    }

    /// <summary>Whose units it holds.</summary>
    public PageFileOwner Owner { get; }

    /// <summary>Bytes written so far.</summary>
    public long WrittenBytes => _writer.WrittenBytes;

    /// <summary>Adds a record, whose bytes the caller does not use again.</summary>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Add(Span<byte> record) => _writer.Add(record);

    /// <summary>Ends the file, brings it to the disk (fsync) and gives it its name, unless it is not wanted any more.</summary>
    /// <param name="isWanted">Asked while nobody else can touch the session's file.</param>
    /// <returns>Why it was not kept, or no fault.</returns>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public SessionFileFault Commit(Func<bool> isWanted)
    {
        _writer.Finish();
        _store.Flush(_stream);
        _stream.Dispose();
        return _store.Publish(Owner, isWanted);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _stream.Dispose();
        _store.DropUnfinished(Owner.Session.Key);
    }
}
