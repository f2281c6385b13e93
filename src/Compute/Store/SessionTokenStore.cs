using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.Store;

/// <summary>
/// The session files of one server: where they lie, how long, and how many bytes. Thread-safe; one owner per session is
/// the caller's duty, and the epoch in each file catches a second one. File names are hashes, never what a client sent.
/// Token ids are stored as they are; encryption at rest is the volume's.
/// </summary>
public sealed class SessionTokenStore
{
    private const string Extension = ".tokens";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly StoreOptions _options;
    private readonly TimeProvider _time;
    private readonly string _folder;
    private readonly FileGate _gate = new();
    private long _usedBytes;

    /// <summary>Opens the store, creating its folder (0700) where needed.</summary>
    /// <param name="options">Limits; <see cref="StoreOptions.Directory"/> must be set unless sessions are off.</param>
    /// <param name="time">Clock for expiry.</param>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    public SessionTokenStore(StoreOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _folder = Path.GetFullPath(Path.Combine(options.Directory, "sessions"));
        if (Enabled)
        {
            CreateFolder(_folder);
            _usedBytes = Files().Sum(LengthOf);
        }
    }

    /// <summary>False when <c>Store:Sessions</c> is off: nothing is read or written.</summary>
    public bool Enabled => _options.Sessions == SessionPersistence.On;

    /// <summary>Bytes of all session files.</summary>
    public long UsedBytes => Interlocked.Read(ref _usedBytes);

    /// <summary>Name of a session's file below the store's folder.</summary>
    public static string FileName(string key)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return Path.Combine(hash[..2], hash[2..34] + Extension);
    }

    /// <summary>Reads a session's tokens on a thread of the pool.</summary>
    public Task<SessionTokens> LoadAsync(SessionIdentity owner) => Task.Run(() => Load(owner));

    /// <summary>Saves a session's tokens on a thread of the pool; they are on disk when the task completes.</summary>
    public Task<SessionSave> SaveAsync(SessionIdentity owner, ReadOnlyMemory<int> tokens) => Task.Run(() => Save(owner, tokens.Span));

    /// <summary>Removes a session's file on a thread of the pool. Removing twice is fine.</summary>
    public Task DeleteAsync(string key) => Task.Run(() => Delete(key));

    /// <summary>Removes a session's file. Removing twice is fine.</summary>
    public void Delete(string key) => Remove(PathOf(key));

    /// <summary>Reads a session's tokens.</summary>
    public SessionTokens Load(in SessionIdentity owner)
    {
        if (!Enabled)
        {
            return new SessionTokens([], SessionFileFault.Missing, "");
        }
        FileInfo file = new(PathOf(owner.Key));
        _gate.Enter(file.FullName);
        try
        {
            return file.Exists && IsExpired(file)
                ? new SessionTokens([], SessionFileFault.Expired, $"older than {_options.TtlHours} h")
                : SessionTokenFile.Read(file.FullName, owner);
        }
        catch (Exception problem) when (IsGone(problem))
        {
            return new SessionTokens([], SessionFileFault.Missing, "");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new SessionTokens([], SessionFileFault.Io, problem.Message);
        }
        finally
        {
            _gate.Exit(file.FullName);
        }
    }

    /// <summary>Saves a session's tokens; on disk when it returns. Other sessions make room when the quota is reached.</summary>
    public SessionSave Save(in SessionIdentity owner, ReadOnlySpan<int> tokens)
    {
        long neededBytes = SessionFileHeader.Of(owner).ByteCount + SessionRecords.ByteCount(tokens.Length);
        if (!Enabled || neededBytes > _options.QuotaBytes)
        {
            return new SessionSave(SessionFileFault.Quota, $"{neededBytes} bytes, quota {_options.QuotaBytes} bytes", 0, 0);
        }
        string path = PathOf(owner.Key);
        try
        {
            SessionSave save = SaveAlone(path, owner, tokens);
            MakeRoom(path);
            return save;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new SessionSave(SessionFileFault.Io, problem.Message, 0, 0);
        }
    }

    /// <summary>Keys of the sessions whose files are past their time. The caller removes the sessions, state included.</summary>
    public IReadOnlyList<string> Expired()
    {
        List<string> keys = [];
        foreach (FileInfo file in Enabled ? Files().Where(IsExpired) : [])
        {
            if (KeyOfExpired(file) is { } key)
            {
                keys.Add(key);
            }
        }
        return keys;
    }

    /// <summary>True when the session has a file that is not past its time.</summary>
    public bool Holds(string key)
    {
        FileInfo file = new(PathOf(key));
        return Enabled && file.Exists && !IsExpired(file);
    }

    private SessionSave SaveAlone(string path, in SessionIdentity owner, ReadOnlySpan<int> tokens)
    {
        _gate.Enter(path);
        try
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            FileInfo file = new(path);
            long beforeBytes = LengthOf(file);
            try
            {
                SessionSave save = SessionTokenFile.Save(path, owner, tokens);
                File.SetLastWriteTimeUtc(path, _time.GetUtcNow().UtcDateTime);
                return save;
            }
            finally
            {
                // Also what a save that failed half way has written.
                Count(LengthOf(file) - beforeBytes);
            }
        }
        finally
        {
            _gate.Exit(path);
        }
    }

    // Null if the file went, was renewed meanwhile, or cannot be read: then nobody can name it, and it is removed here.
    private string? KeyOfExpired(FileInfo file)
    {
        _gate.Enter(file.FullName);
        try
        {
            file.Refresh();
            if (!file.Exists || !IsExpired(file))
            {
                return null;
            }
            string? key = SessionTokenFile.ReadKey(file.FullName);
            if (key is null)
            {
                RemoveHeld(file);
            }
            return key;
        }
        catch (Exception problem) when (IsGone(problem))
        {
            return null;
        }
        finally
        {
            _gate.Exit(file.FullName);
        }
    }

    // Alone, so that no file goes that somebody is writing, and the recount is exact.
    private void MakeRoom(string keep)
    {
        if (UsedBytes <= _options.QuotaBytes)
        {
            return;
        }
        _gate.EnterAll();
        try
        {
            List<FileInfo> files = [.. Files().OrderBy(file => file.LastWriteTimeUtc)];
            Interlocked.Exchange(ref _usedBytes, files.Sum(LengthOf));
            if (UsedBytes <= _options.QuotaBytes)
            {
                return;
            }
            // Down to nine tenths, so that a full store does not sort its files at every save.
            long targetBytes = _options.QuotaBytes / 10 * 9;
            foreach (FileInfo file in files.Where(file => file.FullName != keep).TakeWhile(_ => UsedBytes > targetBytes))
            {
                RemoveHeld(file);
            }
        }
        finally
        {
            _gate.ExitAll();
        }
    }

    private void Remove(string path)
    {
        if (!Enabled)
        {
            return;
        }
        _gate.Enter(path);
        try
        {
            RemoveHeld(new FileInfo(path));
        }
        finally
        {
            _gate.Exit(path);
        }
    }

    private void RemoveHeld(FileInfo file)
    {
        long lengthBytes = LengthOf(file);
        try
        {
            file.Delete();
        }
        catch (DirectoryNotFoundException)
        {
            return; // never saved: not even its folder exists
        }
        Count(-lengthBytes);
    }

    private void Count(long bytes) => Interlocked.Add(ref _usedBytes, bytes);

    /// <summary>Bytes of a file as it is now; 0 when it is gone.</summary>
    private static long LengthOf(FileInfo file)
    {
        try
        {
            file.Refresh();
            return file.Length;
        }
        catch (Exception problem) when (IsGone(problem))
        {
            return 0;
        }
    }

    private static bool IsGone(Exception problem) => problem is FileNotFoundException or DirectoryNotFoundException;

    private bool IsExpired(FileInfo file) =>
        _time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > TimeSpan.FromHours(_options.TtlHours);

    private IEnumerable<FileInfo> Files() =>
        new DirectoryInfo(_folder).EnumerateFiles("*" + Extension, SearchOption.AllDirectories);

    private string PathOf(string key) => Path.Combine(_folder, FileName(key));

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }
    }
}
