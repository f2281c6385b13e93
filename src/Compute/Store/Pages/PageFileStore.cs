namespace Concertina.Compute.Store.Pages;

/// <summary>
/// The page files of one server, beside its token files and under the same options. Thread-safe for different sessions; one
/// write of a session at a time is the caller's duty.
/// </summary>
public sealed class PageFileStore
{
    private const int BufferBytes = 1 << 16;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly SessionFiles _files;
    private readonly StoreOptions _options;
    private readonly byte[]? _key;

    internal PageFileStore(SessionFiles files, StoreOptions options, byte[]? key) => (_files, _options, _key) = (files, options, key);

    /// <summary>False when nothing is read or written.</summary>
    public bool Enabled => _files.Enabled;

    /// <summary>Opens a stream for a file on its way; tests put one in its place that fails.</summary>
    internal Func<string, Stream> Create { get; set; } = CreateFile;

    /// <summary>Removes a session's page file. Removing twice is fine.</summary>
    public void Delete(string key) => _files.Remove(PathOf(key));

    /// <summary>Bytes of a session's page file; 0 when there is none.</summary>
    internal long LengthOf(string key) => Enabled ? SessionFiles.LengthOf(new FileInfo(PathOf(key))) : 0;

    /// <summary>Begins a session's page file, under a temporary name.</summary>
    /// <param name="owner">Whose units it will hold.</param>
    /// <param name="expectedBytes">About as many bytes as it will have.</param>
    /// <param name="write">The file on its way, or null with the fault.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    internal SessionFileFault TryBegin(in PageFileOwner owner, long expectedBytes, out PageFileWrite? write)
    {
        write = null;
        if (!Enabled || expectedBytes > _options.QuotaBytes)
        {
            return SessionFileFault.Quota;
        }
        string path = PathOf(owner.Session.Key);
        _files.CreateFolder(Path.GetDirectoryName(path)!);
        Stream stream = Create(path + SessionFiles.Unfinished);
        try
        {
            write = new PageFileWrite(this, owner, stream, PageFileHead.Of(owner, _key));
            return SessionFileFault.None;
        }
        catch
        {
            stream.Dispose();
            DropUnfinished(owner.Session.Key);
            throw;
        }
    }

    /// <summary>Opens a session's page file, which is then to be checked. It can be read to its end, whatever happens to its name.</summary>
    /// <param name="owner">Who wants its units.</param>
    /// <param name="reading">The open file, or null with the fault.</param>
    /// <param name="detail">Values for the log; empty without a fault. Never token ids.</param>
    internal SessionFileFault TryOpen(in PageFileOwner owner, out PageFileReading? reading, out string detail)
    {
        (reading, detail) = (null, "");
        if (!Enabled)
        {
            return SessionFileFault.Missing;
        }
        FileInfo file = new(PathOf(owner.Session.Key));
        _files.Gate.Enter(file.FullName);
        try
        {
            if (file.Exists && _files.IsExpired(file))
            {
                detail = $"older than {_options.TtlHours} h";
                return SessionFileFault.Expired;
            }
            return TryOpen(file.FullName, owner, out reading, out detail);
        }
        catch (Exception problem) when (SessionFiles.IsGone(problem))
        {
            return SessionFileFault.Missing;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            detail = problem.Message;
            return SessionFileFault.Io;
        }
        finally
        {
            _files.Gate.Exit(file.FullName);
        }
    }

    /// <summary>Removes the files that are past their time.</summary>
    internal void RemoveExpired()
    {
        foreach (FileInfo file in Enabled ? _files.Files(SessionFiles.Pages).Where(_files.IsExpired).ToArray() : [])
        {
            _files.Remove(file.FullName);
        }
    }

    /// <summary>Gives a finished file its name. Whoever removes the session either sees it or comes before.</summary>
    internal SessionFileFault Publish(in PageFileOwner owner, Func<bool> isWanted)
    {
        string path = PathOf(owner.Session.Key);
        _files.Gate.Enter(path);
        try
        {
            if (!isWanted())
            {
                return SessionFileFault.Superseded;
            }
            if (HeadFault(path, owner) == SessionFileFault.StaleEpoch)
            {
                return SessionFileFault.StaleEpoch;
            }
            string key = owner.Session.Key;
            _files.Change(key, SessionFiles.Pages, () =>
            {
                _files.Publish(path);
                return true;
            });
        }
        finally
        {
            _files.Gate.Exit(path);
        }
        _files.MakeRoom(path);
        return SessionFileFault.None;
    }

    /// <summary>Brings what was written to the disk.</summary>
    internal void Flush(Stream stream) => _files.Flush(stream);

    /// <summary>Removes a file that did not get its name.</summary>
    internal void DropUnfinished(string key) => File.Delete(PathOf(key) + SessionFiles.Unfinished);

    // What stands in the way: a file that a newer owner has written stays.
    private SessionFileFault HeadFault(string path, in PageFileOwner owner)
    {
        if (!File.Exists(path))
        {
            return SessionFileFault.Missing;
        }
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] start = new byte[Math.Min(stream.Length, PageFileHead.MaxBytes)];
        stream.ReadExactly(start);
        return PageFileHead.TryRead(start, owner, _key, out _, out _);
    }

    private SessionFileFault TryOpen(string path, in PageFileOwner owner, out PageFileReading? reading, out string detail)
    {
        reading = null;
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferBytes);
        try
        {
            long length = stream.Length;
            byte[] start = new byte[Math.Min(length, PageFileHead.MaxBytes)];
            stream.ReadExactly(start);
            SessionFileFault fault = PageFileHead.TryRead(start, owner, _key, out PageFileHead? head, out detail);
            if (head is null)
            {
                return fault;
            }
            byte[] trailer = new byte[Math.Clamp(length - head.Bytes.Length, 0, PageFileTrailer.Bytes)];
            stream.Position = length - trailer.Length;
            stream.ReadExactly(trailer);
            if (PageFileTrailer.RecordCount(trailer, length) is not { } count)
            {
                detail = $"the file of {length} bytes does not end as it should";
                return SessionFileFault.HalfWritten;
            }
            reading = new PageFileReading(stream, head, trailer, count);
            return SessionFileFault.None;
        }
        finally
        {
            if (reading is null)
            {
                stream.Dispose();
            }
        }
    }

    private string PathOf(string key) => _files.PathOf(key, SessionFiles.Pages);

    private static FileStream CreateFile(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = BufferBytes };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        return new FileStream(path, options);
    }
}
