using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Orleans.Storage;

namespace Concertina.Runtime.Storage;

/// <summary>
/// Keeps each state in one file of a local directory, mode 0600. A write goes to a temporary file, is flushed to the
/// disk, then renamed over the old one, and the directory is flushed: after a crash the file holds the old value or
/// the new one. The value before stays beside it as <c>.prev</c>. One process at a time owns the directory.
/// </summary>
public sealed class FileStateStore : IStateStore, IDisposable
{
    private const int StripeCount = 64;

    private readonly SemaphoreSlim[] _stripes = [.. Enumerable.Range(0, StripeCount).Select(_ => new SemaphoreSlim(1, 1))];
    private readonly ConcurrentDictionary<string, bool> _durableFolders = new();
    private readonly string _directory;
    private readonly FileStream _ownership;

    /// <summary>Opens or makes the directory.</summary>
    /// <exception cref="IOException">Another process owns the directory.</exception>
    public FileStateStore(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        _directory = Path.GetFullPath(directory);
        DurableFile.CreateDirectory(_directory);
        string lockPath = Path.Combine(_directory, "store.lock");
        try
        {
            _ownership = DurableFile.Open(lockPath, FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new IOException(
                $"State directory '{_directory}' is in use by another process, or '{lockPath}' cannot be written. Give each process a directory of its own.",
                exception);
        }
    }

    /// <summary>Called before each step of a write, so that a test can stop the process there in effect.</summary>
    internal Action<string>? BeforeStep { get; set; }

    /// <inheritdoc/>
    public ValueTask<StateRecord?> ReadAsync(StateKey key, CancellationToken cancellation) =>
        LockedAsync(key, path => Read(path, key)?.Record, cancellation);

    /// <inheritdoc/>
    /// <exception cref="StateDamagedException">The stored file is damaged; nothing was written.</exception>
    public ValueTask<string> WriteAsync(StateKey key, ReadOnlyMemory<byte> value, string? etag, CancellationToken cancellation) =>
        LockedAsync(key, path => Write(path, key, value, etag), cancellation);

    /// <inheritdoc/>
    public async ValueTask ClearAsync(StateKey key, string? etag, CancellationToken cancellation) =>
        await LockedAsync(key, path => Clear(path, key, etag), cancellation);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StateKey>> UnwrittenAsync(string state, DateTimeOffset since, CancellationToken cancellation) =>
        await Task.Run(() => Unwritten(state, since, cancellation), cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ownership.Dispose();
        foreach (SemaphoreSlim stripe in _stripes)
        {
            stripe.Dispose();
        }
    }

    /// <summary>A hash of the key: any characters and lengths are safe, and the key itself is in the file.</summary>
    internal string PathOf(StateKey key)
    {
        byte[] grain = Encoding.UTF8.GetBytes(key.Grain);
        byte[] hashed = [.. BitConverter.GetBytes(grain.Length), .. grain, .. Encoding.UTF8.GetBytes(key.State)];
        string name = Convert.ToHexStringLower(SHA256.HashData(hashed));
        return Path.Combine(_directory, name[..2], name + ".state");
    }

    // File calls block, so they leave the grain's turn; keys of one stripe wait for each other.
    private async ValueTask<T> LockedAsync<T>(StateKey key, Func<string, T> action, CancellationToken cancellation)
    {
        string path = PathOf(key);
        SemaphoreSlim stripe = _stripes[(uint)path.GetHashCode(StringComparison.Ordinal) % StripeCount];
        await stripe.WaitAsync(cancellation);
        try
        {
            return await Task.Run(() => action(path), cancellation);
        }
        finally
        {
            stripe.Release();
        }
    }

    private static StateFile? Read(string path, StateKey key)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (StateFile.TryDecode(bytes, key, out StateFile? file, out string? damage))
        {
            return file;
        }

        string previous = path + ".prev";
        bool intact = File.Exists(previous) && StateFile.TryDecode(File.ReadAllBytes(previous), key, out _, out _);
        throw new StateDamagedException(key, path, damage!, intact ? previous : null);
    }

    private string Write(string path, StateKey key, ReadOnlyMemory<byte> value, string? etag)
    {
        StateFile? stored = Read(path, key);
        Check(key, stored, etag);
        StateFile next = StateFile.Create(key, (stored?.Version ?? 0) + 1, value);
        string folder = Path.GetDirectoryName(path)!;
        string temporary = path + ".tmp";
        DurableFile.CreateDirectory(folder);
        if (!_durableFolders.ContainsKey(folder))
        {
            // A folder that a crash can take away takes its files along.
            BeforeStep?.Invoke("flush parent");
            DurableFile.FlushDirectory(_directory);
            _durableFolders[folder] = true;
        }

        BeforeStep?.Invoke("write");
        using (FileStream stream = DurableFile.Open(temporary, FileMode.Create, FileShare.None))
        {
            ReadOnlySpan<byte> bytes = next.Bytes.Span;
            stream.Write(bytes[..(bytes.Length / 2)]);
            BeforeStep?.Invoke("half");
            stream.Write(bytes[(bytes.Length / 2)..]);
            BeforeStep?.Invoke("flush");
            stream.Flush(flushToDisk: true);
        }

        BeforeStep?.Invoke("rename");
        if (stored is null)
        {
            File.Move(temporary, path, overwrite: true);
        }
        else
        {
            File.Replace(temporary, path, path + ".prev");
        }

        BeforeStep?.Invoke("flush directory");
        DurableFile.FlushDirectory(folder);
        return next.Record.Etag;
    }

    private List<StateKey> Unwritten(string state, DateTimeOffset since, CancellationToken cancellation)
    {
        List<StateKey> keys = [];
        foreach (FileInfo file in new DirectoryInfo(_directory).EnumerateFiles("*.state", SearchOption.AllDirectories))
        {
            cancellation.ThrowIfCancellationRequested();
            if (file.LastWriteTimeUtc < since.UtcDateTime && KeyOf(file.FullName) is { } key && key.State == state)
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    // Null: removed or replaced meanwhile, or damaged; whoever needs the state hears of the damage.
    private static StateKey? KeyOf(string path)
    {
        try
        {
            return StateFile.KeyOf(File.ReadAllBytes(path));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool Clear(string path, StateKey key, string? etag)
    {
        Check(key, Read(path, key), etag);
        if (File.Exists(path))
        {
            File.Delete(path + ".prev");
            File.Delete(path);
            DurableFile.FlushDirectory(Path.GetDirectoryName(path)!);
        }

        return true;
    }

    private static void Check(StateKey key, StateFile? stored, string? etag)
    {
        string? version = stored?.Record.Etag;
        if (version != etag)
        {
            throw new InconsistentStateException(
                $"State '{key.State}' of {key.Grain} has version {version ?? "none"}, the writer expected {etag ?? "none"}: another writer was here. Deactivate the grain and reload.",
                version,
                etag);
        }
    }
}
