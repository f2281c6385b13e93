using System.Text.Json;
using Concertina.Contracts;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Tests.Wire;

/// <summary>No message exceeds 64 KiB. Names are longer here than on the wire, so the test errs on the safe side.</summary>
public sealed class MessageSizeTests
{
    private const int LimitBytes = 64 << 10;
    private static readonly byte[] FullPrompt = TokenPacking.Pack([.. Enumerable.Repeat(int.MaxValue, TokenPacking.MaxMessageBytes / sizeof(int))]);

    [Fact]
    public void The_longest_prompt_in_one_message_fits_with_everything_else_at_its_longest()
    {
        GenerateRequest request = new()
        {
            RequestId = new string('r', 128),
            TenantId = new string('t', 64),
            Model = new string('m', 128),
            Prompt = FullPrompt,
            PromptTokens = int.MaxValue,
            StopTokens = [.. Enumerable.Repeat(int.MaxValue, GenerateRequest.MaxStopTokens)],
            CacheSalt = new string('s', GenerateRequest.MaxCacheSaltChars),
            FloorRung = new string('+', GenerateRequest.MaxRungChars),
            FloorNats = -double.MaxValue,
            MaxRatio = -double.MaxValue,
            TenantFloorRung = new string('+', GenerateRequest.MaxRungChars),
            TenantFloorNats = -double.MaxValue,
        };
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJson.Default.GenerateRequest).Length, 1, LimitBytes);
    }

    [Fact]
    public void A_full_page_of_sessions_fits()
    {
        HeldSession session = new()
        {
            SequenceKey = new string('k', 64 + 1 + 128),
            Running = false,
            Tokens = int.MaxValue,
            Bytes = long.MaxValue,
            LosslessBytes = long.MaxValue,
            Exact = false,
            Rung = new string('r', GenerateRequest.MaxRungChars),
            Target = new string('r', GenerateRequest.MaxRungChars),
            Floor = new string('r', GenerateRequest.MaxRungChars),
            DiskBytes = long.MaxValue,
            Resting = false,
        };
        SessionPage page = new([.. Enumerable.Repeat(session, SessionPage.MostSessions)], HasMore: true);
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(page, ContractsJson.Default.SessionPage).Length, 1, LimitBytes);
    }

    [Fact]
    public void A_staged_part_and_a_tokenizer_part_fit()
    {
        PromptPart part = new(new string('r', 128), int.MaxValue, FullPrompt);
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(part, ContractsJson.Default.PromptPart).Length, 1, LimitBytes);
    }

    [Fact]
    public void A_route_request_fits_with_all_its_prefix_hashes()
    {
        RouteRequest request = new()
        {
            TenantId = "t",
            SequenceKey = new string('k', 512),
            PromptTokens = 1,
            PrefixHashes = [.. Enumerable.Repeat(ulong.MaxValue, PrefixHash.MaxColumns)],
        };
        Assert.InRange(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJson.Default.RouteRequest).Length, 1, LimitBytes);
    }

    [Fact]
    public void Prefix_hashes_agree_exactly_as_far_as_the_tokens_do()
    {
        int[] tokens = [.. Enumerable.Range(0, 1_000)];
        int[] other = [.. tokens];
        other[200] = -1;
        ulong[] first = PrefixHash.Columns("t", null, tokens);
        ulong[] second = PrefixHash.Columns("t", null, other);

        Assert.Equal(15, first.Length);
        Assert.Equal(first[..3], second[..3]);
        Assert.All(Enumerable.Range(3, 12), column => Assert.NotEqual(first[column], second[column]));
        Assert.NotEqual(first[0], PrefixHash.Columns("u", null, tokens)[0]);
        Assert.NotEqual(first[0], PrefixHash.Columns("t", "salt", tokens)[0]);
        Assert.Equal(PrefixHash.MaxColumns, PrefixHash.Columns("t", null, new int[100_000]).Length);
    }

    [Fact]
    public void Packed_tokens_come_back_as_they_were()
    {
        int[] tokens = [0, 1, -1, int.MaxValue, int.MinValue];
        Assert.Equal(tokens, TokenPacking.Unpack(TokenPacking.Pack(tokens)));
        Assert.Throws<ArgumentException>(() => TokenPacking.Unpack(new byte[5]));
    }
}
