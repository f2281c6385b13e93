namespace Concertina.Compute.Store;

/// <summary>
/// Which session each file belongs to and how long it is, so that sessions can be listed page by page in the order of their keys
/// without reading files. Thread-safe.
/// </summary>
internal sealed class SessionIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _files = [];
    private readonly Dictionary<string, RestingSession> _sessions = [];
    private readonly SortedSet<string> _keys = new(StringComparer.Ordinal);
    private DiskUse _pages;

    /// <summary>Files with units.</summary>
    public DiskUse Pages
    {
        get
        {
            lock (_lock)
            {
                return _pages;
            }
        }
    }

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
                Entry file = new(key, bytes, path.EndsWith(SessionFiles.Pages, StringComparison.Ordinal));
                _files[path] = file;
                Add(file, 1);
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

    /// <summary>Sessions that have files, by key.</summary>
    /// <param name="start">What the keys begin with; empty: all.</param>
    /// <param name="after">The key they come after; null: the first.</param>
    /// <param name="most">Most of them.</param>
    public IReadOnlyList<RestingSession> Sessions(string start, string? after, int most)
    {
        lock (_lock)
        {
            string from = after is not null && string.CompareOrdinal(after, start) > 0 ? after : start;
            if (_keys.Max is not { } last || string.CompareOrdinal(from, last) > 0)
            {
                return [];
            }
            return
            [
                .. _keys.GetViewBetween(from, last).SkipWhile(key => key == after)
                    .TakeWhile(key => key.StartsWith(start, StringComparison.Ordinal)).Take(most).Select(key => _sessions[key]),
            ];
        }
    }

    private void Take(string path)
    {
        if (_files.Remove(path, out Entry before))
        {
            Add(before, -1);
        }
    }

    private void Add(Entry file, int sign)
    {
        long pageBytes = file.IsPages ? file.Bytes : 0;
        _pages = new DiskUse(_pages.Bytes + (sign * pageBytes), _pages.Sessions + (file.IsPages ? sign : 0));
        RestingSession session = _sessions.GetValueOrDefault(file.Key, new RestingSession(file.Key, 0, 0));
        session = session with { Bytes = session.Bytes + (sign * file.Bytes), PageBytes = session.PageBytes + (sign * pageBytes) };
        if (session.Bytes > 0)
        {
            _sessions[file.Key] = session;
            _keys.Add(file.Key);
        }
        else
        {
            _sessions.Remove(file.Key);
            _keys.Remove(file.Key);
        }
    }

    private readonly record struct Entry(string Key, long Bytes, bool IsPages);
}
