using System.Security.Cryptography;
using System.Text;

namespace Concertina.Compute.Store;

/// <summary>
/// The folder of session files, whatever they hold: their names, who may touch which, how long they are kept and how many
/// bytes they take together. A session has up to one file of each kind. Thread-safe.
/// </summary>
internal sealed class SessionFiles
{
    /// <summary>Kind of a file with token ids.</summary>
    public const string Tokens = ".tokens";

    /// <summary>Kind of a file with the units of a cache.</summary>
    public const string Pages = ".pages";

    /// <summary>End of a name behind its kind while the file is written.</summary>
    public const string Unfinished = ".part";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly string[] Kinds = [Pages, Tokens];
    private readonly StoreOptions _options;
    private readonly TimeProvider _time;
    private readonly IStoreDisk _disk;
    private readonly string _folder;
    private long _usedBytes;

    /// <summary>Opens the folder (0700), and removes what a process that died was writing.</summary>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    public SessionFiles(StoreOptions options, TimeProvider time, IStoreDisk disk)
    {
        (_options, _time, _disk) = (options, time, disk);
        _folder = Path.GetFullPath(Path.Combine(options.Directory, "sessions"));
        if (Enabled)
        {
            CreateFolder(_folder);
            foreach (FileInfo left in new DirectoryInfo(_folder).EnumerateFiles("*" + Unfinished, SearchOption.AllDirectories))
            {
                left.Delete();
            }
            _usedBytes = All().Sum(Found);
        }
    }

    /// <summary>False when nothing is kept.</summary>
    public bool Enabled => _options.Sessions == SessionPersistence.On;

    /// <summary>Who holds which file.</summary>
    public FileGate Gate { get; } = new();

    /// <summary>Whose files they are.</summary>
    public SessionIndex Index { get; } = new();

    /// <summary>Bytes of all files.</summary>
    public long UsedBytes => Interlocked.Read(ref _usedBytes);

    public static bool IsGone(Exception problem) => problem is FileNotFoundException or DirectoryNotFoundException;

    /// <summary>Name of a session's file below the folder: a hash, never what a client sent.</summary>
    public static string NameOf(string key, string kind)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return Path.Combine(hash[..2], hash[2..34] + kind);
    }

    public string PathOf(string key, string kind) => Path.Combine(_folder, NameOf(key, kind));

    /// <summary>Bytes of a file as it is now; 0 when it is gone.</summary>
    public static long LengthOf(FileInfo file)
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

    public bool IsExpired(FileInfo file) =>
        _time.GetUtcNow().UtcDateTime - file.LastWriteTimeUtc > TimeSpan.FromHours(_options.TtlHours);

    /// <summary>Files of a kind.</summary>
    public IEnumerable<FileInfo> Files(string kind) =>
        new DirectoryInfo(_folder).EnumerateFiles("*" + kind, SearchOption.AllDirectories);

    /// <summary>Changes a file whose path the caller holds; what it is longer or shorter afterwards is counted, also when it failed half way.</summary>
    /// <param name="key">Session key.</param>
    /// <param name="kind">Kind of the file.</param>
    /// <param name="change">Makes or changes it.</param>
    public T Change<T>(string key, string kind, Func<T> change)
    {
        FileInfo file = new(PathOf(key, kind));
        CreateFolder(file.DirectoryName!);
        long beforeBytes = LengthOf(file);
        try
        {
            T result = change();
            file.Refresh();
            if (file.Exists)
            {
                file.LastWriteTimeUtc = _time.GetUtcNow().UtcDateTime;
            }
            return result;
        }
        finally
        {
            long bytes = LengthOf(file);
            Index.Set(file.FullName, key, bytes);
            Interlocked.Add(ref _usedBytes, bytes - beforeBytes);
        }
    }

    /// <summary>
    /// Keeps the quota: pages go before tokens, because they can be computed from them, and the least recently used first. Alone,
    /// so that no file goes that somebody is writing, and the recount is exact.
    /// </summary>
    /// <param name="keep">The file that was just written.</param>
    public void MakeRoom(string keep)
    {
        if (UsedBytes <= _options.QuotaBytes)
        {
            return;
        }
        Gate.EnterAll();
        try
        {
            Interlocked.Exchange(ref _usedBytes, All().Sum(LengthOf));
            if (UsedBytes <= _options.QuotaBytes)
            {
                return;
            }
            // Down to nine tenths, so that a full store does not sort its files at every save.
            long targetBytes = _options.QuotaBytes / 10 * 9;
            IEnumerable<FileInfo> files = Kinds.SelectMany(kind => Files(kind).OrderBy(file => file.LastWriteTimeUtc));
            foreach (FileInfo file in files.ToArray().Where(file => file.FullName != keep).TakeWhile(_ => UsedBytes > targetBytes))
            {
                RemoveHeld(file);
            }
        }
        finally
        {
            Gate.ExitAll();
        }
    }

    /// <summary>Removes a file, also from the disk. Removing twice is fine.</summary>
    public void Remove(string path)
    {
        if (!Enabled)
        {
            return;
        }
        Gate.Enter(path);
        try
        {
            if (RemoveHeld(new FileInfo(path)))
            {
                SyncFolderOf(path);
            }
        }
        finally
        {
            Gate.Exit(path);
        }
    }

    /// <summary>Removes a file whose path the caller holds. A crash may bring it back: at the next start it is counted, and goes again.</summary>
    /// <returns>Whether there was one.</returns>
    public bool RemoveHeld(FileInfo file)
    {
        long lengthBytes = LengthOf(file);
        try
        {
            file.Delete();
        }
        catch (DirectoryNotFoundException)
        {
            return false; // never saved: not even its folder exists
        }
        Index.Remove(file.FullName);
        Interlocked.Add(ref _usedBytes, -lengthBytes);
        return lengthBytes > 0;
    }

    // A file whose head cannot be read takes bytes and is nobody's.
    private long Found(FileInfo file)
    {
        long bytes = LengthOf(file);
        ulong magic = file.Extension == Pages ? SessionFileHeader.PageMagic : SessionFileHeader.TokenMagic;
        try
        {
            if (SessionFileHeader.KeyOf(file.FullName, magic) is { } key)
            {
                Index.Set(file.FullName, key, bytes);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // It is told when its session comes back and it cannot be read then either.
        }
        return bytes;
    }

    private IEnumerable<FileInfo> All() => Kinds.SelectMany(Files);

    /// <summary>Gives a finished file its name, on the disk too. The caller holds the path.</summary>
    public void Publish(string path)
    {
        _disk.Rename(path + Unfinished, path);
        SyncFolderOf(path);
    }

    /// <summary>Brings what was written to a file to the disk.</summary>
    public void Flush(Stream file) => _disk.Flush(file);

    /// <summary>Brings the names beside a file, and its own, to the disk.</summary>
    public void SyncFolderOf(string path) => _disk.SyncFolder(Path.GetDirectoryName(path)!);

    /// <summary>Makes a folder that its owner alone may enter (0700), where there is none, and brings its name to the disk.</summary>
    public void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }
        SyncFolderOf(folder);
    }
}
