using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;
using Microsoft.Extensions.Time.Testing;
using static Concertina.Grains.Tests.Store.Pages.PageFiles;

namespace Concertina.Grains.Tests.Store.Pages;

/// <summary>A page file comes into being whole, and goes when it should.</summary>
public sealed class PageFileLifeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)); // files changed by hand are younger

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_older_owner_does_not_write_over_a_newer_one()
    {
        PageFileStore store = Open("");
        List<byte[]> newer = Records(3, seed: 6);
        Write(store, Owner, newer);

        PageFileOwner older = Owner with { Session = Owner.Session with { Epoch = 2 } };
        Assert.Equal(SessionFileFault.StaleEpoch, Write(store, older, Records(2, seed: 7)));

        Assert.Equal(newer, store.Read(Owner).Records);
        Assert.Single(AllFiles());
    }

    [Fact]
    public void A_write_that_dies_at_any_byte_leaves_the_file_of_before()
    {
        PageFileStore store = Open("");
        List<byte[]> before = Records(2, seed: 9);
        Write(store, Owner, before);
        List<byte[]> after = Records(3, seed: 10);
        long length = SizeOf(after);
        for (long dies = 0; dies < length; dies++)
        {
            PageFileStore dying = Open("");
            dying.Create = path => new DyingStream(path, dies);
            Assert.ThrowsAny<IOException>(() => Write(dying, Owner, after, disposes: false));

            PageFileStore next = Open(""); // a new process
            Assert.Equal(before, next.Read(Owner).Records);
            Assert.Single(AllFiles()); // what was half written is gone
        }
        PageFileStore living = Open("");
        living.Create = path => new DyingStream(path, length);
        Assert.Equal(SessionFileFault.None, Write(living, Owner, after));
        Assert.Equal(after, Open("").Read(Owner).Records);
    }

    [Fact]
    public void What_is_not_wanted_any_more_gets_no_name()
    {
        PageFileStore store = Open("");
        Assert.Equal(SessionFileFault.Superseded, Write(store, Owner, Records(2, seed: 1), isWanted: false));
        Assert.Empty(AllFiles());
        Assert.Equal(SessionFileFault.Missing, store.Read(Owner).Fault);
    }

    [Fact]
    public void A_deleted_session_leaves_nothing_and_the_count_of_bytes_is_true()
    {
        SessionTokenStore store = OpenAll(new StoreOptions());
        store.Save(Owner.Session, [1, 2, 3]);
        Write(store.Pages, Owner, Records(3, seed: 1));
        Assert.Equal(AllFiles().Sum(file => new FileInfo(file).Length), store.UsedBytes);

        store.Delete(Owner.Session.Key);

        Assert.Empty(AllFiles());
        Assert.Equal(0, store.UsedBytes);
    }

    [Fact]
    public void Pages_past_their_time_are_not_read_and_go()
    {
        SessionTokenStore store = OpenAll(new StoreOptions { TtlHours = 2 });
        Write(store.Pages, Owner, Records(3, seed: 1));
        _time.Advance(TimeSpan.FromHours(2.1));

        Assert.Equal(SessionFileFault.Expired, store.Pages.Read(Owner).Fault);
        store.Expired();
        Assert.Empty(AllFiles());
        Assert.Equal(0, store.UsedBytes);
    }

    [Fact]
    public void Over_the_quota_pages_go_before_tokens_oldest_first()
    {
        SessionTokenStore store = OpenAll(new StoreOptions { QuotaBytes = 1 << 20 });
        store.Save(Owner.Session, new int[1000]);
        for (int session = 0; session < 8; session++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(SessionFileFault.None, Write(store.Pages, Of($"tenant/{session}"), [new byte[200_000]]));
        }

        Assert.InRange(store.UsedBytes, 600_000, 1 << 20);
        Assert.Equal(SessionFileFault.None, store.Load(Owner.Session).Fault);
        Assert.Equal(SessionFileFault.Missing, store.Pages.Read(Of("tenant/0")).Fault);
        Assert.Equal(SessionFileFault.None, store.Pages.Read(Of("tenant/7")).Fault);
        Assert.Equal(SessionFileFault.Quota, store.Pages.TryBegin(Owner, (1 << 20) + 1, out _));
    }

    [Fact]
    public void Nothing_is_kept_where_sessions_are_off()
    {
        PageFileStore store = OpenAll(new StoreOptions { Sessions = SessionPersistence.Off }).Pages;
        Assert.NotEqual(SessionFileFault.None, store.TryBegin(Owner, 1, out _));
        Assert.Equal(SessionFileFault.Missing, store.Read(Owner).Fault);
        Assert.Empty(AllFiles());
    }

    private PageFileStore Open(string key) => OpenAll(new StoreOptions { EncryptionKey = key }).Pages;

    private SessionTokenStore OpenAll(StoreOptions options) => new(options with { Directory = _folder.Path }, _time);

    private string[] AllFiles() => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);

    private static long SizeOf(List<byte[]> records)
    {
        using MemoryStream stream = new();
        using PageFileWriter writer = new(stream, PageFileHead.Of(Owner, key: null));
        records.ForEach(record => writer.Add(record.ToArray()));
        writer.Finish();
        return stream.Length;
    }
}
