using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Store.Pages;

/// <summary>A page file is used whole, by its owner, as it was written, or not at all.</summary>
public sealed class PageFileTests : IDisposable
{
    private const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private const int RecordBytes = 40;
    private static readonly PageFileOwner Owner = Of("tenant/session");
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero)); // files changed by hand are younger

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Keys => ["", Key];

    [Theory]
    [MemberData(nameof(Keys))]
    public void What_was_written_is_read_also_by_another_process(string key)
    {
        List<byte[]> records = Records(5, seed: 1);
        Assert.Equal(SessionFileFault.None, Write(Open(key), Owner, records));

        PageFileContent read = Open(key).Read(Owner);

        Assert.Equal(SessionFileFault.None, read.Fault);
        Assert.Equal(records, read.Records);
    }

    [Fact]
    public void Encrypted_records_show_nothing_of_what_they_hold()
    {
        List<byte[]> records = [new byte[200], new byte[200]];
        Write(Open(Key), Owner, records);

        byte[] file = File.ReadAllBytes(PagePath());

        Assert.True(file.AsSpan().IndexOf(new byte[20]) < 0, "Twenty zero bytes stand in the file.");
        byte[] first = file[..^64];
        Write(Open(Key), Owner, records);
        Assert.NotEqual(first, File.ReadAllBytes(PagePath())[..^64]); // another salt, another key
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_flipped_bit_anywhere_is_noticed(string key)
    {
        PageFileStore store = Open(key);
        Write(store, Owner, Records(4, seed: 2));
        byte[] whole = File.ReadAllBytes(PagePath());
        Random random = new(7);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(PagePath(), damaged);
            AssertRefused(store, Owner, $"byte {at}");
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_file_that_ends_early_or_late_at_any_byte_is_noticed(string key)
    {
        PageFileStore store = Open(key);
        Write(store, Owner, Records(4, seed: 3));
        byte[] whole = File.ReadAllBytes(PagePath());
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(PagePath(), whole[..length]);
            Assert.Equal(SessionFileFault.HalfWritten, AssertRefused(store, Owner, $"length {length}"));
        }
        File.WriteAllBytes(PagePath(), [.. whole, 0]);
        AssertRefused(store, Owner, "one byte more");
        File.WriteAllBytes(PagePath(), [.. whole, .. whole]);
        AssertRefused(store, Owner, "twice");
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Records_that_changed_places_were_left_out_or_doubled_are_noticed(string key)
    {
        PageFileStore store = Open(key);
        Write(store, Owner, Records(4, seed: 4));
        byte[] whole = File.ReadAllBytes(PagePath());
        int record = sizeof(int) + RecordBytes + (key.Length > 0 ? 16 : 32);
        int first = whole.Length - PageFileTrailer.Bytes - (4 * record);
        for (int from = 0; from < 4; from++)
        {
            for (int to = 0; to < 4; to++)
            {
                if (from != to)
                {
                    byte[] swapped = [.. whole];
                    whole.AsSpan(first + (from * record), record).CopyTo(swapped.AsSpan(first + (to * record)));
                    File.WriteAllBytes(PagePath(), swapped); // doubled
                    AssertRefused(store, Owner, $"record {from} over {to}");
                    whole.AsSpan(first + (to * record), record).CopyTo(swapped.AsSpan(first + (from * record)));
                    File.WriteAllBytes(PagePath(), swapped);
                    AssertRefused(store, Owner, $"records {from} and {to}");
                }
            }
            File.WriteAllBytes(PagePath(), [.. whole[..(first + (from * record))], .. whole[(first + ((from + 1) * record))..]]);
            AssertRefused(store, Owner, $"without record {from}");
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_record_of_an_older_file_of_the_same_session_is_noticed(string key)
    {
        PageFileStore store = Open(key);
        Write(store, Owner, Records(4, seed: 4));
        byte[] older = File.ReadAllBytes(PagePath());
        Write(store, Owner, Records(4, seed: 5));
        byte[] newer = File.ReadAllBytes(PagePath());
        int record = sizeof(int) + RecordBytes + (key.Length > 0 ? 16 : 32);
        int last = newer.Length - PageFileTrailer.Bytes - record;

        older.AsSpan(last, record).CopyTo(newer.AsSpan(last));
        File.WriteAllBytes(PagePath(), newer);

        AssertRefused(store, Owner, "the last record of before");
    }

    [Theory]
    [InlineData("tenant/other", "tenant", "model", "formats", 3, SessionFileFault.Foreign)]
    [InlineData("other/session", "other", "model", "formats", 3, SessionFileFault.Foreign)]
    [InlineData("tenant/session", "other", "model", "formats", 3, SessionFileFault.Foreign)]
    [InlineData("tenant/session", "tenant", "other model", "formats", 3, SessionFileFault.Foreign)]
    [InlineData("tenant/session", "tenant", "model", "other ladder", 3, SessionFileFault.Formats)]
    [InlineData("tenant/session", "tenant", "model", "formats", 2, SessionFileFault.StaleEpoch)]
    public void Another_owner_is_refused(string session, string tenant, string model, string formats, long epoch, SessionFileFault fault)
    {
        PageFileStore store = Open("");
        PageFileOwner other = new(new SessionIdentity(session, tenant, model, epoch), formats);
        Write(store, Owner, Records(3, seed: 5));
        string place = PagePath(other.Session.Key);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        if (place != PagePath())
        {
            File.Copy(PagePath(), place); // files of two sessions changed places
        }

        Assert.Equal(fault, store.Read(other).Fault);
    }

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

    [Theory]
    [InlineData("", Key)]
    [InlineData(Key, "")]
    [InlineData(Key, "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    public void Files_of_another_key_are_refused(string written, string read)
    {
        Write(Open(written), Owner, Records(3, seed: 8));
        AssertRefused(Open(read), Owner, "another key");
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

    private static PageFileOwner Of(string session) =>
        new(new SessionIdentity(session, session.Split('/')[0], "model", Epoch: 3), "formats");

    private PageFileStore Open(string key) => OpenAll(new StoreOptions { EncryptionKey = key }).Pages;

    private SessionTokenStore OpenAll(StoreOptions options) => new(options with { Directory = _folder.Path }, _time);

    private string PagePath(string? key = null) =>
        Path.Combine(_folder.Path, "sessions", SessionFiles.NameOf(key ?? Owner.Session.Key, SessionFiles.Pages));

    private string[] AllFiles() => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);

    private static List<byte[]> Records(int count, int seed)
    {
        Random random = new(seed);
        List<byte[]> records = [];
        for (int i = 0; i < count; i++)
        {
            records.Add(new byte[RecordBytes]);
            random.NextBytes(records[^1]);
        }
        return records;
    }

    private static long SizeOf(List<byte[]> records)
    {
        using MemoryStream stream = new();
        using PageFileWriter writer = new(stream, PageFileHead.Of(Owner, key: null));
        records.ForEach(record => writer.Add(record.ToArray()));
        writer.Finish();
        return stream.Length;
    }

    private static SessionFileFault Write(PageFileStore store, PageFileOwner owner, List<byte[]> records, bool isWanted = true, bool disposes = true)
    {
        Assert.Equal(SessionFileFault.None, store.TryBegin(owner, records.Sum(record => record.Length), out PageFileWrite? write));
        try
        {
            records.ForEach(record => write!.Add(record.ToArray()));
            return write!.Commit(() => isWanted);
        }
        finally
        {
            if (disposes)
            {
                write!.Dispose();
            }
        }
    }

    private static SessionFileFault AssertRefused(PageFileStore store, PageFileOwner owner, string what)
    {
        PageFileContent read = store.Read(owner);
        Assert.True(
            read.Fault is SessionFileFault.HalfWritten or SessionFileFault.Damaged or SessionFileFault.Version or SessionFileFault.Foreign
                or SessionFileFault.StaleEpoch or SessionFileFault.Formats, $"{what}: {read.Fault} {read.Detail}");
        Assert.Empty(read.Records);
        return read.Fault;
    }
}
