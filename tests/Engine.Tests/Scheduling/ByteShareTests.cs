using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Metering;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache.Memory;
using Concertina.Engine.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Engine.Tests.Scheduling;

/// <summary>Bytes are the second resource of fair shares: who holds most of a short cache is served less, and never starves.</summary>
public sealed class ByteShareTests
{
    private const int Steps = 1_500;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_tenant_that_holds_most_of_a_short_cache_is_served_less_than_its_share_of_tokens(int seed)
    {
        (long hog, long other) byTokens = await Serve(seed, TimeSpan.Zero, lowWatermark: 0.3);
        (long hog, long other) byBoth = await Serve(seed, TimeSpan.FromMilliseconds(50), lowWatermark: 0.3);

        double before = (double)byTokens.hog / (byTokens.hog + byTokens.other);
        double now = (double)byBoth.hog / (byBoth.hog + byBoth.other);
        Assert.InRange(before, 0.4, 0.6); // where no time passes, tokens alone count
        Assert.True(now < 0.85 * before, $"It held most bytes and got {now:P0} of the tokens, {before:P0} by tokens alone.");
    }

    [Fact]
    public async Task While_memory_suffices_bytes_cost_nothing()
    {
        (long hog, long other) = await Serve(seed: 1, TimeSpan.FromMilliseconds(50), lowWatermark: 1);

        Assert.InRange((double)hog / (hog + other), 0.4, 0.6);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 0.5)]
    [InlineData(0, 1)] // who got no row pays none, so its turn comes
    public void A_row_costs_four_at_most_whatever_its_tenant_holds(int rows, double weight)
    {
        const long capacity = 1_000_000;
        FakeTimeProvider time = new();
        FairClocks clocks = new();
        KvAccounts accounts = new();
        KvMeter meter = new(accounts, time);
        ByteWeights weights = new(clocks, time);
        TenantClock hog = Enter(clocks, meter, "hog");
        TenantClock other = Enter(clocks, meter, "other");
        accounts.Add(meter.Of("hog").Account, capacity);
        (hog.Rows, hog.Weight, other.Rows) = (rows, weight, 1_000);

        time.Advance(TimeSpan.FromSeconds(1));
        meter.Charge(time.GetTimestamp());
        weights.Weigh(time.GetTimestamp(), capacity, isShort: true);

        Assert.Equal((ByteWeights.MostPrice - 1) * rows / weight, hog.Served, 1e-9);
        Assert.Equal(0, other.Served);
    }

    private static TenantClock Enter(FairClocks clocks, KvMeter meter, string tenant)
    {
        TenantClock clock = clocks.Enter(tenant);
        clock.Know(meter.Of(tenant));
        return clock;
    }

    // Both always have requests waiting; the hog's are the next turns of long conversations that stay in memory.
    private static async Task<(long Hog, long Other)> Serve(int seed, TimeSpan stepTime, double lowWatermark)
    {
        await using EngineBench bench = new(
            new EngineOptions
            {
                MaxRunning = 4,
                StepTokens = 16,
                QueueLimit = 100,
                ReaderBufferTokens = 400,
                LowWatermark = lowWatermark,
                HighWatermark = 1,
            },
            columns: 100, contextLength: 1024);
        Random random = new(seed);
        int[] history = EngineBench.Prompt(600, seed);
        SequenceHandle[] sessions = [.. Enumerable.Range(0, 7).Select(session => bench.Open("hog", $"s{session}"))];
        foreach ((int index, SequenceHandle session) in sessions.Index())
        {
            bench.Finish(EngineBench.Submit(session, bench.Spec([index, .. history], 1)));
        }
        TokenStream?[] turns = new TokenStream?[sessions.Length];
        List<TokenStream> small = [];
        (long hog, long other) = (0, 0);
        for (int step = 0; step < Steps; step++)
        {
            for (int session = 0; session < sessions.Length; session++)
            {
                if (turns[session] is null or { End: not null })
                {
                    hog += turns[session] is { } ended ? Tokens(ended) : 0;
                    int[] prompt = [session, .. history, .. EngineBench.Prompt(random.Next(20, 40), random.Next())];
                    turns[session] = EngineBench.Submit(sessions[session], bench.Spec(prompt, random.Next(5, 30)));
                }
            }
            other += small.Where(stream => stream.End is not null).Sum(Tokens);
            small.RemoveAll(stream => stream.End is not null);
            while (small.Count < 8)
            {
                SequenceHandle handle = bench.Open("other", $"o{step}-{small.Count}");
                small.Add(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(random.Next(20, 40), random.Next()), random.Next(5, 30))));
            }
            bench.Engine.StepOnce();
            bench.Time.Advance(stepTime);
        }
        return (hog, other);
    }

    private static long Tokens(TokenStream stream) => stream.PromptTokens - stream.CachedTokens + stream.End!.GeneratedTokens;
}
