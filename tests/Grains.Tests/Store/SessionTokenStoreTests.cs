using Concertina.Compute.Store;
using Concertina.Grains.Tests.Store.Pages;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Store;

public sealed class SessionTokenStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_session_survives_a_new_store_over_the_same_folder()
    {
        Open().Save(Owner("a"), [1, 2, 3]);
        Assert.Equal([1, 2, 3], Open().Load(Owner("a")).Tokens);
    }

    [Fact]
    public async Task A_deleted_session_leaves_nothing()
    {
        SessionTokenStore store = Open();
        store.Save(Owner("a"), [1, 2, 3]);

        await store.DeleteAsync("tenant/a");

        Assert.Equal(SessionFileFault.Missing, store.Load(Owner("a")).Fault);
        Assert.Equal(0, store.UsedBytes);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_session_past_its_time_is_not_read_and_is_named_for_removal()
    {
        SessionTokenStore store = Open(new StoreOptions { TtlHours = 2 });
        store.Save(Owner("old"), [1]);
        _time.Advance(TimeSpan.FromHours(1.5));
        store.Save(Owner("young"), [2]);
        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(SessionFileFault.Expired, store.Load(Owner("old")).Fault);
        Assert.Equal(["tenant/old"], store.Expired());
        Assert.Equal([2], store.Load(Owner("young")).Tokens);
    }

    [Fact]
    public void Over_the_quota_the_least_recently_used_sessions_go_and_the_count_of_bytes_stays_true()
    {
        SessionTokenStore store = Open(new StoreOptions { QuotaBytes = 1 << 20 });
        int[] tokens = new int[30_000];
        for (int session = 0; session < 20; session++)
        {
            store.Save(Owner($"s{session}"), tokens);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(store.UsedBytes, 1, 1 << 20);
        Assert.Equal(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), store.UsedBytes);
        Assert.Equal(SessionFileFault.Missing, store.Load(Owner("s0")).Fault);
        Assert.Equal(SessionFileFault.None, store.Load(Owner("s19")).Fault);
    }

    [Fact]
    public void A_session_larger_than_the_quota_is_refused_with_the_bytes()
    {
        SessionSave save = Open(new StoreOptions { QuotaBytes = 1 << 20 }).Save(Owner("a"), new int[300_000]);
        Assert.Equal(SessionFileFault.Quota, save.Fault);
        Assert.Contains("1048576", save.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void With_sessions_off_nothing_is_written()
    {
        SessionTokenStore store = Open(new StoreOptions { Sessions = SessionPersistence.Off });
        store.Save(Owner("a"), [1]);
        Assert.Equal(SessionFileFault.Missing, store.Load(Owner("a")).Fault);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_an_outcome_not_an_exception()
    {
        SessionTokenStore store = Open();
        File.WriteAllText(_folder.File("sessions/" + SessionTokenStore.FileName("tenant/a")[..2]), "in the way");
        Assert.Equal(SessionFileFault.Io, store.Save(Owner("a"), [1]).Fault);
    }

    [Fact]
    public void File_names_tell_nothing_of_the_client()
    {
        string name = SessionTokenStore.FileName("tenant/../../etc/passwd");
        Assert.Matches("^[0-9a-f]{2}/[0-9a-f]{32}\\.tokens$", name.Replace('\\', '/'));
    }

    [Fact]
    public void A_store_with_a_key_keeps_no_tokens_in_the_clear_and_one_with_another_key_counts_what_it_cannot_read()
    {
        StoreOptions sealing = new() { EncryptionKey = new string('a', 64) };
        Open(sealing).Save(Owner("a"), [1000, 2000, 3000]);
        Assert.True(File.ReadAllBytes(_folder.File("sessions/" + SessionTokenStore.FileName("tenant/a"))).AsSpan().IndexOf(BitConverter.GetBytes(2000)) < 0);
        Assert.Equal([1000, 2000, 3000], Open(sealing).Load(Owner("a")).Tokens);

        foreach (StoreOptions options in (StoreOptions[])[new() { EncryptionKey = new string('b', 64) }, new()])
        {
            SessionTokenStore store = Open(options);
            Assert.Empty(store.Load(Owner("a")).Tokens);
            Assert.Equal(1, store.Faults(SessionFileFault.Formats));
        }
    }

    [Fact]
    public void A_file_that_lost_its_last_records_is_known_by_what_was_saved_last()
    {
        SessionTokenStore store = Open();
        store.Save(Owner("a"), [1, 2, 3]);

        SessionTokens loaded = store.Load(Owner("a"), expectedTokens: 5);

        Assert.Equal(SessionFileFault.HalfWritten, loaded.Fault);
        Assert.Equal([1, 2, 3], loaded.Tokens);
        Assert.Contains("3 of 5", loaded.Detail, StringComparison.Ordinal);
        Assert.Equal(1, store.Faults(SessionFileFault.HalfWritten));
    }

    [Fact]
    public void Sessions_are_listed_with_the_bytes_of_their_files_also_by_the_next_process_until_they_are_deleted()
    {
        SessionTokenStore store = Open();
        store.Save(Owner("a"), [1, 2, 3]);
        store.Save(Owner("b"), [1]);
        store.Save(Owner("b"), [1, 2]);
        PageFiles.Write(store.Pages, PageFiles.Of("tenant/b"), PageFiles.Records(3, seed: 1));

        foreach (SessionTokenStore process in (SessionTokenStore[])[store, Open()])
        {
            RestingSession[] sessions = [.. process.Sessions("", null, 10)];
            Assert.Equal(["tenant/a", "tenant/b"], sessions.Select(session => session.Key));
            Assert.Equal(process.UsedBytes, sessions.Sum(session => session.Bytes));
            Assert.Equal((0L, process.PageFiles.Bytes), (sessions[0].PageBytes, sessions[1].PageBytes));
            Assert.Equal(1, process.PageFiles.Sessions);
            Assert.Equal(Directory.EnumerateFiles(_folder.Path, "*.pages", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), process.PageFiles.Bytes);
        }

        Assert.Equal(["tenant/a"], store.Sessions("tenant/", null, 1).Select(session => session.Key));
        Assert.Equal(["tenant/b"], store.Sessions("tenant/", "tenant/a", 1).Select(session => session.Key));
        Assert.Equal(["tenant/a"], store.Sessions("tenant/", "other/z", 1).Select(session => session.Key));
        Assert.Empty(store.Sessions("tenan/", null, 10));
        Assert.Empty(store.Sessions("", "tenant/b", 10));
        store.Delete("tenant/b");
        Assert.Equal(["tenant/a"], store.Sessions("", null, 10).Select(session => session.Key));
        Assert.Equal(default, store.PageFiles);
    }

    private static SessionIdentity Owner(string session) => new($"tenant/{session}", "tenant", "model", 1);

    private SessionTokenStore Open(StoreOptions? options = null) => new((options ?? new StoreOptions()) with { Directory = _folder.Path }, _time);
}
