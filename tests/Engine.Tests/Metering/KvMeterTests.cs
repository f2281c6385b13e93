using Concertina.Compute.Engine;
using Concertina.Compute.KvCache.Memory;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Metering;

/// <summary>Bytes times seconds: nothing is lost, nothing is charged twice, and what is shared is paid for once.</summary>
public sealed class KvMeterTests
{
    private const int Tenants = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_tenants_are_charged_is_the_integral_of_what_sessions_hold(int seed)
    {
        await using EngineBench bench = new(
            new EngineOptions { MaxRunning = 6, StepTokens = 32, QueueLimit = 200, ReaderBufferTokens = 400 }, columns: 45, contextLength: 1024, parts: PairLadder.Parts());
        Random random = new(seed);
        int[] shared = EngineBench.Prompt(900, seed);
        Dictionary<SequenceHandle, TokenStream> open = [];
        double integral = 0;
        int reused = 0;

        for (int step = 0; step < 600; step++)
        {
            if (open.Count < 12 && random.Next(3) == 0)
            {
                int tenant = random.Next(Tenants);
                int[] prompt = [.. shared.AsSpan(0, random.Next(1, 900)), .. EngineBench.Prompt(random.Next(1, 40), random.Next())];
                SequenceHandle handle = bench.Open($"t{tenant}", $"s{step}");
                open.Add(handle, EngineBench.Submit(handle, bench.Spec(prompt, random.Next(1, 60)) with { Kv = new KvSpec { FloorRung = "pair1" } }));
            }
            bench.Step();
            foreach ((SequenceHandle handle, TokenStream stream) in open.Where(entry => entry.Value.End is not null && random.Next(20) == 0).ToArray())
            {
                reused += stream.CachedTokens;
                bench.Close(handle);
                open.Remove(handle);
            }
            bench.Cache.DropUnreferenced(random.Next(1 << 16));
            double seconds = random.NextDouble();
            integral += Held(bench) * seconds;
            bench.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        IReadOnlyList<TenantKv> charged = bench.Engine.Tenants();
        Assert.True(reused > 1_000, $"{reused} tokens were shared.");
        Assert.True(bench.Engine.Snapshot.TranscodedUnits > 0, "Nobody was squeezed.");
        Assert.Equal(["t0", "t1", "t2"], charged.Select(tenant => tenant.TenantId).Order());
        Assert.Equal(Held(bench), charged.Sum(tenant => tenant.Bytes));
        Assert.Equal(1, charged.Sum(tenant => tenant.ByteSeconds) / integral, 1e-6);
    }

    [Fact]
    public async Task Sessions_that_share_a_prefix_pay_for_it_once_together()
    {
        await using EngineBench bench = new(new EngineOptions { ReaderBufferTokens = 400 });
        int[] prompt = EngineBench.Prompt(600, seed: 1);
        bench.Finish(EngineBench.Submit(bench.Open("one", "a"), bench.Spec(prompt, 4)));
        for (int sharer = 0; sharer < 4; sharer++)
        {
            bench.Finish(EngineBench.Submit(bench.Open("four", $"s{sharer}"), bench.Spec(prompt, 4)));
        }

        Dictionary<string, TenantKv> held = bench.Engine.Tenants().ToDictionary(tenant => tenant.TenantId);

        // Each of the four has its own last column and lists: one of ten columns, not forty.
        Assert.InRange((double)held["four"].Bytes / held["one"].Bytes, 1, 1.9);
        Assert.Equal(4 * held["one"].Bytes, bench.Engine.Sequences().Where(sequence => sequence.Key.StartsWith("four/", StringComparison.Ordinal)).Sum(sequence => sequence.KvBytes));
    }

    [Fact]
    public async Task An_engine_at_rest_goes_on_charging()
    {
        await using EngineBench bench = new();
        bench.Finish(bench.Submit(EngineBench.Prompt(200, seed: 1)));
        double before = Assert.Single(bench.Engine.Tenants()).ByteSeconds;

        bench.Time.Advance(TimeSpan.FromSeconds(10));

        TenantKv held = Assert.Single(bench.Engine.Tenants());
        Assert.True(held.Bytes > 0);
        Assert.Equal(before + (10.0 * held.Bytes), held.ByteSeconds, 1e-3);
        bench.Step();
        Assert.Equal(held.ByteSeconds, bench.Engine.Tenants()[0].ByteSeconds, 1e-3);
    }

    [Fact]
    public void Accounts_are_bounded_and_told_apart()
    {
        KvAccounts accounts = new();
        ushort[] all = [.. Enumerable.Range(0, 1_000).Select(_ => accounts.Open())];
        accounts.Add(all[7], 5);

        Assert.Equal(1_000, all.Distinct().Count());
        Assert.Equal((5, 0), (accounts.Bytes(all[7]), accounts.Bytes(all[8])));
        Assert.Throws<InvalidOperationException>(() =>
        {
            for (int i = 0; i <= ushort.MaxValue; i++)
            {
                accounts.Open();
            }
        });
    }

    private static long Held(EngineBench bench) => bench.Cache.UsedBytes - bench.EmptyBytes - bench.Cache.UnreferencedPrefixBytes;
}
