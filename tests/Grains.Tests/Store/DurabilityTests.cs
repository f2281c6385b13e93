using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Grains.Tests.Store;

/// <summary>What survives a crash of the machine: the bytes first, then the name, then the folder that holds the name.</summary>
public sealed class DurabilityTests : IDisposable
{
    private static readonly SessionIdentity Owner = new("tenant/session", "tenant", "model", Epoch: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly RecordedDisk _disk = new();
    private readonly SessionTokenStore _store;

    public DurabilityTests() => _store = new SessionTokenStore(new StoreOptions { Directory = _folder.Path }, TimeProvider.System, _disk);

    private static string Shard => SessionTokenStore.FileName(Owner.Key)[..2];

    private static string PageName => Path.GetFileName(SessionFiles.NameOf(Owner.Key, SessionFiles.Pages));

    private static string TokenName => Path.GetFileName(SessionTokenStore.FileName(Owner.Key));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_folder_of_sessions_is_made_durable_at_once() =>
        Assert.Equal([$"sync {Path.GetFileName(_folder.Path)}"], _disk.Take());

    [Fact]
    public void A_page_file_is_flushed_then_named_then_its_folder_is_synced()
    {
        _disk.Take();

        WritePages();

        Assert.Equal(["sync sessions", $"flush {PageName}.part", $"rename {PageName}.part {PageName}", $"sync {Shard}"], _disk.Take());
    }

    [Fact]
    public void A_new_token_file_has_its_name_on_the_disk_when_the_save_returns_and_a_longer_one_needs_no_more_than_its_bytes()
    {
        _disk.Take();

        _store.Save(Owner, [1, 2]);
        Assert.Equal(["sync sessions", $"flush {TokenName}", $"sync {Shard}"], _disk.Take());

        _store.Save(Owner, [1, 2, 3]);
        Assert.Equal([$"flush {TokenName}"], _disk.Take());
    }

    [Fact]
    public void A_deleted_session_is_gone_from_the_disk_when_the_delete_returns()
    {
        _store.Save(Owner, [1, 2]);
        WritePages();
        _disk.Take();

        _store.Delete(Owner.Key);
        Assert.Equal([$"sync {Shard}", $"sync {Shard}"], _disk.Take());

        _store.Delete(Owner.Key);
        Assert.Empty(_disk.Take());
    }

    [Fact]
    public void A_folder_that_cannot_be_synced_is_told_with_its_name_and_the_number_of_the_error()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            Assert.Skip("Only Linux and macOS sync folders.");
        }
        IOException problem = Assert.Throws<IOException>(() => new StoreDisk().SyncFolder(_folder.File("nowhere")));
        Assert.Contains("nowhere", problem.Message, StringComparison.Ordinal);
        Assert.Contains("error 2", problem.Message, StringComparison.Ordinal);
        new StoreDisk().SyncFolder(_folder.Path);
    }

    [Fact]
    public void A_save_whose_name_may_not_survive_is_a_fault()
    {
        _disk.FailsSync = true;
        Assert.Equal(SessionFileFault.Io, _store.Save(Owner, [1, 2]).Fault);
    }

    private void WritePages()
    {
        _store.Pages.TryBegin(new PageFileOwner(Owner, "formats"), 100, out PageFileWrite? write);
        using (write)
        {
            write!.Add(new byte[10]);
            Assert.Equal(SessionFileFault.None, write.Commit(() => true));
        }
    }

    /// <summary>Does what is asked and keeps the order, with last names only.</summary>
    private sealed class RecordedDisk : IStoreDisk
    {
        private readonly StoreDisk _disk = new();
        private readonly List<string> _calls = [];

        public bool FailsSync { get; set; }

        public void Flush(Stream file)
        {
            _calls.Add($"flush {Path.GetFileName(((FileStream)file).Name)}");
            _disk.Flush(file);
        }

        public void Rename(string from, string to)
        {
            _calls.Add($"rename {Path.GetFileName(from)} {Path.GetFileName(to)}");
            _disk.Rename(from, to);
        }

        public void SyncFolder(string folder)
        {
            if (FailsSync)
            {
                throw new IOException("The disk is gone.");
            }
            _calls.Add($"sync {Path.GetFileName(folder)}");
            _disk.SyncFolder(folder);
        }

        public string[] Take()
        {
            string[] calls = [.. _calls];
            _calls.Clear();
            return calls;
        }
    }
}
