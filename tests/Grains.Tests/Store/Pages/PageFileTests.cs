using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;
using Microsoft.Extensions.Time.Testing;
using static Concertina.Grains.Tests.Store.Pages.PageFiles;

namespace Concertina.Grains.Tests.Store.Pages;

/// <summary>A page file is used whole, by its owner, as it was written, or not at all.</summary>
public sealed class PageFileTests : IDisposable
{
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

    [Theory]
    [InlineData("", Key)]
    [InlineData(Key, "")]
    [InlineData(Key, "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    public void Files_of_another_key_are_refused(string written, string read)
    {
        Write(Open(written), Owner, Records(3, seed: 8));
        AssertRefused(Open(read), Owner, "another key");
    }

    private PageFileStore Open(string key) => OpenAll(new StoreOptions { EncryptionKey = key }).Pages;

    private SessionTokenStore OpenAll(StoreOptions options) => new(options with { Directory = _folder.Path }, _time);

    private string PagePath(string? key = null) =>
        Path.Combine(_folder.Path, "sessions", SessionFiles.NameOf(key ?? Owner.Session.Key, SessionFiles.Pages));
}
