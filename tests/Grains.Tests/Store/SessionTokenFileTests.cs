using Concertina.Compute.Store;
using Concertina.Compute.Store.Tokens;

namespace Concertina.Grains.Tests.Store;

/// <summary>What holds of every token file, encrypted or not.</summary>
/// <param name="key">Key of the server, or null.</param>
public abstract class SessionTokenFileTests(byte[]? key) : IDisposable
{
    protected static readonly SessionIdentity Owner = new("tenant/session", "tenant", "model-hash", Epoch: 3);
    protected static readonly int[][] Turns = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]];
    private readonly TemporaryFolder _folder = new();

    protected string Path => _folder.File("s.tokens");

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void What_was_saved_is_read_turn_after_turn()
    {
        foreach (int[] turn in Turns)
        {
            Assert.Equal(SessionFileFault.None, Save(Owner, turn).Fault);
            SessionTokens read = Read(Owner);
            Assert.Equal(SessionFileFault.None, read.Fault);
            Assert.Equal(turn, read.Tokens);
        }
    }

    [Fact]
    public void A_longer_sequence_appends_and_rewrites_nothing()
    {
        Save(Owner, Turns[0]);
        byte[] before = File.ReadAllBytes(Path);

        SessionSave save = Save(Owner, Turns[1]);

        Assert.Equal(Turns[0].Length, save.KeptTokens);
        Assert.Equal(before, File.ReadAllBytes(Path)[..before.Length]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void A_sequence_that_diverges_replaces_the_records_from_there(int divergesAt)
    {
        foreach (int[] turn in Turns)
        {
            Save(Owner, turn);
        }
        int[] other = [.. Turns[2].Take(divergesAt), 99, 98];

        SessionSave save = Save(Owner, other);

        Assert.InRange(save.KeptTokens, 0, divergesAt);
        Assert.Equal(other, Read(Owner).Tokens);
    }

    [Fact]
    public void A_sequence_cut_inside_a_record_is_saved_as_it_is()
    {
        Save(Owner, Turns[2]);
        Save(Owner, Turns[2].AsSpan(0, 4));
        Assert.Equal(Turns[2][..4], Read(Owner).Tokens);
    }

    [Fact]
    public void A_file_cut_between_records_is_an_earlier_turn_and_at_any_other_byte_it_is_known_as_half_written()
    {
        foreach (int[] turn in Turns)
        {
            Save(Owner, turn);
        }
        byte[] whole = File.ReadAllBytes(Path);
        Dictionary<int, int[]> boundaries = Boundaries();
        Assert.Equal(whole.Length, boundaries.Keys.Max());
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(Path, whole[..length]);

            SessionTokens read = Read(Owner);

            bool between = boundaries.TryGetValue(length, out int[]? turn);
            int[] rest = between ? turn! : boundaries.Where(pair => pair.Key < length).OrderBy(pair => pair.Key).LastOrDefault().Value ?? [];
            Assert.Equal((length, between ? SessionFileFault.None : SessionFileFault.HalfWritten), (length, read.Fault));
            Assert.Equal(rest, read.Tokens);
            Assert.Equal(SessionFileFault.None, Save(Owner, Turns[2]).Fault);
            Assert.Equal(Turns[2], Read(Owner).Tokens);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_noticed_and_never_gives_other_tokens()
    {
        foreach (int[] turn in Turns)
        {
            Save(Owner, turn);
        }
        byte[] whole = File.ReadAllBytes(Path);
        for (int at = 0; at < whole.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= (byte)(1 << bit);
                File.WriteAllBytes(Path, damaged);

                SessionTokens read = Read(Owner);

                Assert.NotEqual(SessionFileFault.None, read.Fault);
                Assert.Equal(Turns[2][..read.Tokens.Length], read.Tokens);
            }
        }
    }

    [Theory]
    [InlineData("other/session", "tenant", "model-hash", SessionFileFault.Foreign)]
    [InlineData("tenant/session", "other", "model-hash", SessionFileFault.Foreign)]
    [InlineData("tenant/session", "tenant", "other-model", SessionFileFault.Foreign)]
    public void A_file_of_another_owner_is_refused_and_then_replaced(string key, string tenant, string model, SessionFileFault fault)
    {
        Save(new SessionIdentity(key, tenant, model, 3), Turns[2]);

        SessionTokens read = Read(Owner);

        Assert.Equal(fault, read.Fault);
        Assert.Empty(read.Tokens);
        Assert.Equal(0, Save(Owner, Turns[0]).KeptTokens);
        Assert.Equal(Turns[0], Read(Owner).Tokens);
    }

    [Fact]
    public void An_older_owner_neither_reads_nor_writes_what_a_newer_one_has_written()
    {
        Save(Owner with { Epoch = 4 }, Turns[1]);
        byte[] before = File.ReadAllBytes(Path);

        Assert.Equal(SessionFileFault.StaleEpoch, Read(Owner).Fault);
        Assert.Equal(SessionFileFault.StaleEpoch, Save(Owner, Turns[2]).Fault);
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Fact]
    public void A_newer_owner_takes_the_file_over_and_locks_the_older_out()
    {
        Save(Owner, Turns[0]);

        SessionSave save = Save(Owner with { Epoch = 4 }, Turns[1]);

        Assert.Equal(Turns[0].Length, save.KeptTokens);
        Assert.Equal(Turns[1], Read(Owner with { Epoch = 4 }).Tokens);
        Assert.Equal(SessionFileFault.StaleEpoch, Save(Owner, Turns[2]).Fault);
    }

    [Fact]
    public void Another_format_version_is_named()
    {
        Save(Owner, Turns[0]);
        byte[] bytes = File.ReadAllBytes(Path);
        bytes[8] = 9;
        File.WriteAllBytes(Path, bytes);
        Assert.Equal(SessionFileFault.Version, Read(Owner).Fault);
    }

    [Fact]
    public void Only_the_owner_of_the_process_may_read_the_file()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes.");
            return;
        }
        Save(Owner, Turns[0]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
    }

    protected SessionSave Save(in SessionIdentity owner, ReadOnlySpan<int> tokens) => new SessionTokenFile(key, new StoreDisk()).Save(Path, owner, tokens);

    protected SessionTokens Read(in SessionIdentity owner) => new SessionTokenFile(key, new StoreDisk()).Read(Path, owner);

    // Where the file may end and be whole: after its head, and after each record, which holds what its turn added.
    protected Dictionary<int, int[]> Boundaries()
    {
        TokenFileHead head = TokenFileHead.Of(Owner, key);
        using ITokenRecords records = head.MakeRecords();
        int at = head.ByteCount;
        int written = 0;
        Dictionary<int, int[]> boundaries = new() { [at] = [] };
        foreach (int[] turn in Turns)
        {
            at += records.ByteCount(turn.Length - written);
            written = turn.Length;
            boundaries[at] = turn;
        }
        return boundaries;
    }
}
