using Concertina.Compute.Store.Pages;

namespace Concertina.Compute.Store;

/// <summary>
/// The session files of one server: where they lie, how long, and how many bytes. Thread-safe; one owner per session is
/// the caller's duty, and the epoch in each file catches a second one. File names are hashes, never what a client sent.
/// With <see cref="StoreOptions.EncryptionKey"/> token ids and pages are encrypted; names, keys and lengths of sessions are not.
/// </summary>
public sealed class SessionTokenStore
{
    private readonly StoreOptions _options;
    private readonly SessionFiles _files;
    private readonly SessionTokenFile _file;
    private readonly long[] _faults = new long[Enum.GetValues<SessionFileFault>().Length];

    /// <summary>Opens the store, creating its folder (0700) where needed.</summary>
    /// <param name="options">Limits; <see cref="StoreOptions.Directory"/> must be set unless sessions are off.</param>
    /// <param name="time">Clock for expiry.</param>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    public SessionTokenStore(StoreOptions options, TimeProvider time)
        : this(options, time, new StoreDisk())
    {
    }

    internal SessionTokenStore(StoreOptions options, TimeProvider time, IStoreDisk disk)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _files = new SessionFiles(options, time, disk);
        byte[]? key = options.EncryptionKey.Length == 0 ? null : Convert.FromHexString(options.EncryptionKey);
        _file = new SessionTokenFile(key, disk);
        Pages = new PageFileStore(_files, options, key);
    }

    /// <summary>False when <c>Store:Sessions</c> is off: nothing is read or written.</summary>
    public bool Enabled => _files.Enabled;

    /// <summary>Bytes of all session files.</summary>
    public long UsedBytes => _files.UsedBytes;

    /// <summary>Of those, files with units.</summary>
    public DiskUse PageFiles => _files.Index.Pages;

    /// <summary>Sessions that have files, by key.</summary>
    /// <param name="start">What the keys begin with; empty: all.</param>
    /// <param name="after">The key they come after; null: the first.</param>
    /// <param name="most">Most of them.</param>
    public IReadOnlyList<RestingSession> Sessions(string start, string? after, int most) => _files.Index.Sessions(start, after, most);

    /// <summary>Token files since start that could not be read whole, or not be written.</summary>
    public long Faults(SessionFileFault fault) => Interlocked.Read(ref _faults[(int)fault]);

    /// <summary>Files with the units of the same sessions.</summary>
    public PageFileStore Pages { get; }

    /// <summary>Name of a session's file below the store's folder.</summary>
    public static string FileName(string key) => SessionFiles.NameOf(key, SessionFiles.Tokens);

    /// <summary>Reads a session's tokens on a thread of the pool.</summary>
    /// <param name="owner">Who wants them.</param>
    /// <param name="expectedTokens">Tokens that were saved last.</param>
    public Task<SessionTokens> LoadAsync(SessionIdentity owner, int expectedTokens) => Task.Run(() => Load(owner, expectedTokens));

    /// <summary>Saves a session's tokens on a thread of the pool; they are on disk when the task completes.</summary>
    public Task<SessionSave> SaveAsync(SessionIdentity owner, ReadOnlyMemory<int> tokens) => Task.Run(() => Save(owner, tokens.Span));

    /// <summary>Removes a session's files, tokens and pages, on a thread of the pool. Removing twice is fine.</summary>
    public Task DeleteAsync(string key) => Task.Run(() => Delete(key));

    /// <summary>Removes a session's files, tokens and pages. Removing twice is fine.</summary>
    public void Delete(string key)
    {
        Pages.Delete(key);
        _files.Remove(PathOf(key));
    }

    /// <summary>Reads a session's tokens.</summary>
    /// <param name="owner">Who wants them.</param>
    /// <param name="expectedTokens">Tokens that were saved last: a file without all of them has lost its end.</param>
    public SessionTokens Load(in SessionIdentity owner, int expectedTokens = 0)
    {
        SessionTokens loaded = Enabled ? LoadAlone(owner) : new SessionTokens([], SessionFileFault.Missing, "");
        if (loaded.Fault == SessionFileFault.None && loaded.Tokens.Length < expectedTokens)
        {
            loaded = loaded with
            {
                Fault = SessionFileFault.HalfWritten,
                Detail = $"it ends after {loaded.Tokens.Length} of {expectedTokens} tokens",
            };
        }
        return Counted(loaded, loaded.Fault);
    }

    /// <summary>Saves a session's tokens; on disk when it returns. Other sessions make room when the quota is reached.</summary>
    public SessionSave Save(in SessionIdentity owner, ReadOnlySpan<int> tokens)
    {
        long neededBytes = _file.ByteCount(owner, tokens.Length);
        SessionSave save = !Enabled || neededBytes > _options.QuotaBytes
            ? new SessionSave(SessionFileFault.Quota, $"{neededBytes} bytes, quota {_options.QuotaBytes} bytes", 0, 0)
            : TrySave(owner, tokens.ToArray());
        return Counted(save, save.Fault);
    }

    /// <summary>Keys of the sessions whose files are past their time. The caller removes the sessions, state included.</summary>
    public IReadOnlyList<string> Expired()
    {
        List<string> keys = [];
        foreach (FileInfo file in Enabled ? _files.Files(SessionFiles.Tokens).Where(_files.IsExpired) : [])
        {
            if (KeyOfExpired(file) is { } key)
            {
                keys.Add(key);
            }
        }
        Pages.RemoveExpired();
        return keys;
    }

    /// <summary>True when the session has a file of tokens that is not past its time.</summary>
    public bool Holds(string key)
    {
        FileInfo file = new(PathOf(key));
        return Enabled && file.Exists && !_files.IsExpired(file);
    }

    private SessionTokens LoadAlone(in SessionIdentity owner)
    {
        FileInfo file = new(PathOf(owner.Key));
        _files.Gate.Enter(file.FullName);
        try
        {
            return file.Exists && _files.IsExpired(file)
                ? new SessionTokens([], SessionFileFault.Expired, $"older than {_options.TtlHours} h")
                : _file.Read(file.FullName, owner);
        }
        catch (Exception problem) when (SessionFiles.IsGone(problem))
        {
            return new SessionTokens([], SessionFileFault.Missing, "");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new SessionTokens([], SessionFileFault.Io, problem.Message);
        }
        finally
        {
            _files.Gate.Exit(file.FullName);
        }
    }

    private SessionSave TrySave(in SessionIdentity owner, int[] tokens)
    {
        string path = PathOf(owner.Key);
        try
        {
            SessionSave save = SaveAlone(path, owner, tokens);
            _files.MakeRoom(path);
            return save;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new SessionSave(SessionFileFault.Io, problem.Message, 0, 0);
        }
    }

    private SessionSave SaveAlone(string path, SessionIdentity owner, int[] tokens)
    {
        _files.Gate.Enter(path);
        try
        {
            bool isNew = !File.Exists(path);
            return _files.Change(owner.Key, SessionFiles.Tokens, () =>
            {
                SessionSave save = _file.Save(path, owner, tokens);
                if (isNew)
                {
                    _files.SyncFolderOf(path);
                }
                return save;
            });
        }
        finally
        {
            _files.Gate.Exit(path);
        }
    }

    // Null if the file went, was renewed meanwhile, or cannot be read: then nobody can name it, and it is removed here.
    private string? KeyOfExpired(FileInfo file)
    {
        _files.Gate.Enter(file.FullName);
        try
        {
            file.Refresh();
            if (!file.Exists || !_files.IsExpired(file))
            {
                return null;
            }
            string? key = SessionFileHeader.KeyOf(file.FullName, SessionFileHeader.TokenMagic);
            if (key is null)
            {
                _files.RemoveHeld(file);
            }
            return key;
        }
        catch (Exception problem) when (SessionFiles.IsGone(problem))
        {
            return null;
        }
        finally
        {
            _files.Gate.Exit(file.FullName);
        }
    }

    private string PathOf(string key) => _files.PathOf(key, SessionFiles.Tokens);

    private T Counted<T>(T result, SessionFileFault fault)
    {
        Interlocked.Increment(ref _faults[(int)fault]);
        return result;
    }
}
