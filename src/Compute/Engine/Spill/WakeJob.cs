using Concertina.Compute.KvCache.Images;
using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// A request of a spilled sequence that waits until it is known what its page file gives. The page thread checks all of the file,
/// one record in memory at a time; the engine's thread then has it read again (<see cref="Feed"/>), or drops it.
/// </summary>
internal sealed class WakeJob(PageDesk desk, TableRestores restores, PageFileOwner owner, TimeProvider time)
{
    private readonly Lock _lock = new();
    private PageFileReading? _file;
    private TableImage? _image;
    private long _fileBytes;
    private TimeSpan _checkTime;
    private bool _dropped;
    private volatile bool _isLoaded;

    /// <summary>Tokens of the prompt that the file may cover.</summary>
    public required int Common { get; init; }

    /// <summary>Tokens of the prompt that the prefix cache has already.</summary>
    public required int Matched { get; init; }

    /// <summary>Engine thread: true once the image was found to be one of the session's tokens.</summary>
    public bool IsChecked { get; set; }

    /// <summary>Engine thread: bytes in use when there was no room for it; it is not tried again before they are fewer.</summary>
    public long ShortAtBytes { get; set; } = long.MaxValue;

    /// <summary>Engine thread: times it was restored in part and given up for want of room.</summary>
    public int Shortages { get; set; }

    /// <summary>True once the request may be admitted: the file was checked, or is not used.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>What the file holds; null: nothing, or nothing any more.</summary>
    public TableImage? Image
    {
        get
        {
            lock (_lock)
            {
                return _image;
            }
        }
    }

    /// <summary>Bytes of the arena that it takes for units.</summary>
    public long ArenaBytes { get; private set; }

    /// <summary>Session key, for what is told.</summary>
    public string Key => owner.Session.Key;

    /// <summary>Opens and checks the file, unless computing is cheaper. Page thread.</summary>
    /// <returns>False when there is no room for it now; try again.</returns>
    public bool TryLoad()
    {
        _fileBytes = LengthOfFile();
        if (_fileBytes > 0 && !_dropped)
        {
            long bytes = Math.Min(_fileBytes, restores.MostRecordBytes);
            if (!desk.Choice.PrefersRestore(_fileBytes, Common - Matched))
            {
                desk.Figures.AddRecomputed();
            }
            else if (!desk.Incoming.TryTake(bytes))
            {
                return false;
            }
            else
            {
                Load();
                desk.Incoming.Return(bytes);
            }
        }
        _isLoaded = true;
        return true;
    }

    /// <summary>The records of the file, from the first on. Engine thread, while there is an image; one at a time.</summary>
    public PageFeed Feed() => new(
        desk, _file!, TableRestores.Wanted(_image!.State, Common), elapsed => desk.Choice.Restore.Add(_fileBytes, _checkTime + elapsed), time);

    /// <summary>The image is not needed any more, nor what was read of it.</summary>
    public void Drop()
    {
        lock (_lock)
        {
            _dropped = true;
            _image = null;
            // What is read now is read to its end first; a stopped page thread reads nothing.
            if (_file is { } file && !desk.Worker.TryPost(file.Dispose))
            {
                file.Dispose();
            }
            _file = null;
        }
    }

    private long LengthOfFile()
    {
        try
        {
            return desk.Store.LengthOf(Key);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            desk.Fault(Key, SessionFileFault.Io, $"{problem.GetType().Name}: {problem.Message}");
            return 0;
        }
    }

    // The border of the page thread: a bug costs this session's file and nothing else, and is told.
    private void Load()
    {
        PageFileReading? file = null;
        try
        {
            SessionFileFault fault = TryCheck(out file, out TableImage? image, out string detail);
            if (fault is not (SessionFileFault.None or SessionFileFault.Missing))
            {
                desk.Fault(Key, fault, detail);
            }
            file = Keep(file, image) ? null : file;
        }
        catch (Exception problem)
        {
            desk.Fault(Key, SessionFileFault.Io, $"{problem.GetType().Name}: {problem.Message}");
        }
        finally
        {
            file?.Dispose();
        }
    }

    private SessionFileFault TryCheck(out PageFileReading? file, out TableImage? image, out string detail)
    {
        long startedAt = time.GetTimestamp();
        image = null;
        SessionFileFault fault = desk.Store.TryOpen(owner, out file, out detail);
        if (file is null)
        {
            return fault;
        }
        TableImage? found = null;
        long arenaBytes = 0;
        fault = file.Check(restores.MostRecordBytes, (index, record) =>
        {
            if (index == 0)
            {
                found = TableImage.Parse(restores, record, out string wrong);
                return found is null ? wrong : null;
            }
            if (restores.Problem(found!.State, index - 1, record) is { } problem)
            {
                return problem;
            }
            arenaBytes += index - 1 < TableRestores.Wanted(found.State, Common) ? restores.ArenaBytes(found.State, index - 1, record) : 0;
            return null;
        }, out detail);
        if (fault == SessionFileFault.None && file.Count - 1 != found?.State.RecordCount)
        {
            detail = $"it has {file.Count} records for {found?.State.RecordCount} and a first one";
            return SessionFileFault.Damaged;
        }
        (image, ArenaBytes, _checkTime) = (fault == SessionFileFault.None ? found : null, arenaBytes, time.GetElapsedTime(startedAt));
        return fault;
    }

    private bool Keep(PageFileReading? file, TableImage? image)
    {
        lock (_lock)
        {
            if (image is null || _dropped)
            {
                return false;
            }
            (_image, _file) = (image, file);
            return true;
        }
    }
}
