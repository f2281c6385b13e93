namespace Concertina.Compute.Store;

/// <summary>Which session each file belongs to and how long it is, so that sessions can be listed without reading files. Thread-safe.</summary>
internal sealed class SessionIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _files = [];
    private long _pageBytes;

    /// <summary>Bytes of all files with units.</summary>
    public long PageBytes => Interlocked.Read(ref _pageBytes);

    /// <summary>A file is there, or has another length; 0 bytes: it is gone.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="key">Session key.</param>
    /// <param name="bytes">Its length.</param>
    public void Set(string path, string key, long bytes)
    {
        lock (_lock)
        {
            Take(path);
            if (bytes > 0)
            {
                _files[path] = new Entry(key, bytes, path.EndsWith(SessionFiles.Pages, StringComparison.Ordinal));
                _pageBytes += _files[path].PageBytes;
            }
        }
    }

    /// <summary>A file is gone.</summary>
    public void Remove(string path)
    {
        lock (_lock)
        {
            Take(path);
        }
    }

    /// <summary>The sessions that have files, in no order.</summary>
    public IReadOnlyList<RestingSession> Sessions()
    {
        lock (_lock)
        {
            return
            [
                .. _files.Values.GroupBy(file => file.Key)
                    .Select(files => new RestingSession(files.Key, files.Sum(file => file.Bytes), files.Sum(file => file.PageBytes))),
            ];
        }
    }

    private void Take(string path)
    {
        if (_files.Remove(path, out Entry before))
        {
            _pageBytes -= before.PageBytes;
        }
    }

    private readonly record struct Entry(string Key, long Bytes, bool IsPages)
    {
        public long PageBytes => IsPages ? Bytes : 0;
    }
}
