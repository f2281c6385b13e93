using Concertina.Compute.KvCache.Images;
using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// A request of a spilled sequence that waits until it is known what its page file gives. The page thread reads and checks, the
/// engine's thread takes the image or drops it.
/// </summary>
internal sealed class WakeJob(PageDesk desk, TableImages images, PageFileOwner owner, TimeProvider time)
{
    private readonly Lock _lock = new();
    private TableImage? _image;
    private long _takenBytes;
    private bool _dropped;
    private volatile bool _isLoaded;

    /// <summary>Tokens of the prompt that the file may cover.</summary>
    public required int Common { get; init; }

    /// <summary>Tokens of the prompt that the prefix cache has already.</summary>
    public required int Matched { get; init; }

    /// <summary>Engine thread: true once the image was found to be one of the session's tokens.</summary>
    public bool IsChecked { get; set; }

    /// <summary>True once the request may be admitted: the file was read, or is not used.</summary>
    public bool IsLoaded => _isLoaded;

    /// <summary>What the file gave; null: nothing, or nothing any more.</summary>
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

    /// <summary>Session key, for what is told.</summary>
    public string Key => owner.Session.Key;

    /// <summary>Reads the file, unless computing is cheaper. Page thread.</summary>
    /// <returns>False when there is no room for it now; try again.</returns>
    public bool TryLoad()
    {
        long bytes = desk.Store.LengthOf(Key);
        if (bytes > 0 && !_dropped)
        {
            if (!desk.Choice.PrefersRestore(bytes, Common - Matched))
            {
                desk.Figures.AddRecomputed();
            }
            else if (!desk.Incoming.TryTake(bytes))
            {
                return false;
            }
            else
            {
                Keep(Read(bytes), bytes);
            }
        }
        _isLoaded = true;
        return true;
    }

    /// <summary>The image is not needed any more.</summary>
    public void Drop()
    {
        lock (_lock)
        {
            _dropped = true;
            _image = null;
            desk.Incoming.Return(_takenBytes);
            _takenBytes = 0;
        }
    }

    // The border of the page thread: a bug costs this session's file and nothing else, and is told.
    private TableImage? Read(long bytes)
    {
        try
        {
            return ReadChecked(bytes);
        }
        catch (Exception problem)
        {
            desk.Fault(Key, SessionFileFault.Io, $"{problem.GetType().Name}: {problem.Message}");
            return null;
        }
    }

    private TableImage? ReadChecked(long bytes)
    {
        long startedAt = time.GetTimestamp();
        PageFileContent content = desk.Store.Read(owner);
        if (content.Fault != SessionFileFault.None)
        {
            if (content.Fault != SessionFileFault.Missing)
            {
                desk.Fault(Key, content.Fault, content.Detail);
            }
            return null;
        }
        TableImage? image = TableImage.Parse(images, content.Records, out string problem);
        desk.Choice.Restore.Add(bytes, time.GetElapsedTime(startedAt));
        if (image is null)
        {
            desk.Fault(Key, SessionFileFault.Damaged, problem);
        }
        return image;
    }

    private void Keep(TableImage? image, long bytes)
    {
        lock (_lock)
        {
            if (image is null || _dropped)
            {
                desk.Incoming.Return(bytes);
                return;
            }
            (_image, _takenBytes) = (image, bytes);
        }
    }
}
