using System.Runtime.InteropServices;
using Concertina.Compute.Store;
using Concertina.Compute.Store.Tokens;

namespace Concertina.Grains.Tests.Store;

/// <summary>Token files of a server with a key: they show nothing, and only what that server wrote there is read.</summary>
public sealed class SealedTokenFileTests() : SessionTokenFileTests(ServerKey)
{
    private const int NonceBytes = 12;
    private const int NonceAt = sizeof(int);
    private static readonly byte[] ServerKey = Convert.FromHexString("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    private static readonly byte[] OtherKey = [.. ServerKey.Reverse()];

    [Fact]
    public void The_file_shows_no_tokens()
    {
        int[] tokens = [.. Enumerable.Range(1000, 64)];
        Save(Owner, tokens);
        byte[] file = File.ReadAllBytes(Path);
        foreach (int token in tokens)
        {
            Assert.True(file.AsSpan().IndexOf(MemoryMarshal.AsBytes(new ReadOnlySpan<int>([token, token + 1]))) < 0, $"Token {token} stands in the file.");
        }
    }

    [Fact]
    public void No_nonce_is_used_twice_also_when_a_record_is_replaced()
    {
        HashSet<string> nonces = [];
        for (int turn = 0; turn < 50; turn++)
        {
            Save(Owner, [1, 2, 3]);
            Save(Owner, [1, 2, 3, 100 + turn]); // the second record of one file, again and again
            byte[] file = File.ReadAllBytes(Path);
            int record = Boundaries().Keys.Min() + new SealedTokenRecords(ServerKey, []).ByteCount(3);
            Assert.True(nonces.Add(Convert.ToHexString(file.AsSpan(record + NonceAt, NonceBytes))), $"The nonce of turn {turn} was used before.");
        }
    }

    [Fact]
    public void Records_that_changed_places_or_were_left_out_are_noticed()
    {
        int[][] turns = [[1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6]];
        foreach (int[] turn in turns)
        {
            Save(Owner, turn);
        }
        byte[] whole = File.ReadAllBytes(Path);
        int first = Boundaries().Keys.Min();
        int bytes = (whole.Length - first) / 3;
        ReadOnlySpan<int[]> orders = [[1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2], [0, 2], [0, 0, 1], [0, 1, 1]];
        foreach (int[] order in orders)
        {
            File.WriteAllBytes(Path, [.. whole[..first], .. order.SelectMany(record => whole[(first + (record * bytes))..(first + ((record + 1) * bytes))])]);

            SessionTokens read = Read(Owner);

            Assert.Equal(SessionFileFault.Damaged, read.Fault);
            Assert.Equal(turns[2][..read.Tokens.Length], read.Tokens);
        }
    }

    [Theory]
    [InlineData("tenant/other", "tenant")]
    [InlineData("other/session", "other")]
    public void Records_of_another_session_are_noticed(string session, string tenant)
    {
        SessionIdentity other = Owner with { Key = session, TenantId = tenant };
        Save(other, Turns[0]);
        byte[] foreign = File.ReadAllBytes(Path);
        int foreignRecords = TokenFileHead.Of(other, ServerKey).ByteCount;
        File.Delete(Path);
        Save(Owner, Turns[0]);
        byte[] own = File.ReadAllBytes(Path);

        File.WriteAllBytes(Path, [.. own[..Boundaries().Keys.Min()], .. foreign[foreignRecords..]]);
        Assert.Equal((SessionFileFault.Damaged, 0), (Read(Owner).Fault, Read(Owner).Tokens.Length));
        File.WriteAllBytes(Path, foreign);
        Assert.Equal((SessionFileFault.Foreign, 0), (Read(Owner).Fault, Read(Owner).Tokens.Length));
    }

    [Fact]
    public void A_record_of_an_older_file_of_the_same_session_is_noticed()
    {
        Save(Owner, Turns[0]);
        byte[] older = File.ReadAllBytes(Path);
        Save(Owner, [9, 9, 9, 9, 9]); // nothing of it is kept: another salt
        byte[] newer = File.ReadAllBytes(Path);
        int head = Boundaries().Keys.Min();

        File.WriteAllBytes(Path, [.. newer[..head], .. older[head..]]);

        Assert.Equal(SessionFileFault.Damaged, Read(Owner).Fault);
        Assert.Empty(Read(Owner).Tokens);
    }

    [Fact]
    public void A_head_with_a_made_up_epoch_and_a_right_checksum_is_refused()
    {
        Save(Owner, Turns[0]);
        byte[] file = File.ReadAllBytes(Path);
        byte[] forged = TokenFileHead.Of(Owner with { Epoch = 1 }, OtherKey).ToBytes();

        File.WriteAllBytes(Path, [.. forged, .. file[forged.Length..]]);

        Assert.Equal(SessionFileFault.Formats, Read(Owner).Fault);
        Assert.Empty(Read(Owner).Tokens);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_file_of_another_key_or_none_gives_nothing_and_is_replaced(bool written, bool read)
    {
        SessionTokenFile own = Of(read ? OtherKey : null);
        Of(written ? ServerKey : null).Save(Path, Owner, Turns[1]);

        SessionTokens tokens = own.Read(Path, Owner);

        Assert.Equal(SessionFileFault.Formats, tokens.Fault);
        Assert.Contains("Store:EncryptionKey", tokens.Detail, StringComparison.Ordinal);
        Assert.Empty(tokens.Tokens);
        Assert.Equal(0, own.Save(Path, Owner, Turns[2]).KeptTokens);
        Assert.Equal(Turns[2], own.Read(Path, Owner).Tokens);
    }

    [Fact]
    public void An_older_owner_with_another_key_does_not_write_over_a_newer_one()
    {
        Save(Owner with { Epoch = 4 }, Turns[1]);
        Assert.Equal(SessionFileFault.StaleEpoch, Of(null).Save(Path, Owner, Turns[2]).Fault);
        Assert.Equal(Turns[1], Read(Owner with { Epoch = 4 }).Tokens);
    }

    private static SessionTokenFile Of(byte[]? key) => new(key, new StoreDisk());
}
