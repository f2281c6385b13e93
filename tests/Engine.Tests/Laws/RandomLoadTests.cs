using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Laws;

/// <summary>
/// Random sessions, cancels, disposals, slow readers and oversized prompts on budgets too small for them. Every step checks
/// commitments and the cache's integrity; every token is compared with a simulation that knows no engine.
/// </summary>
public sealed class RandomLoadTests(ITestOutputHelper output)
{
    private const int Steps = 350;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public async Task Every_stream_ends_properly_and_nothing_leaks(int seed)
    {
        Random random = new(seed);
        await using EngineBench bench = new(Options(random), columns: random.Next(12, 40));
        List<RandomClient> clients = [];
        int refused = 0;

        for (int step = 0; step < Steps; step++)
        {
            refused += Act(bench, clients, random);
            bench.Step();
            bench.Time.Advance(TimeSpan.FromMilliseconds(random.Next(20)));
            foreach (RandomClient client in clients)
            {
                if (random.Next(3) > 0)
                {
                    client.Read(always: false);
                }
            }
        }
        Finish(bench, clients);

        foreach (IGrouping<string, int> ends in clients.SelectMany(client => client.Ends).GroupBy(end => end.Key, end => end.Value))
        {
            output.WriteLine($"{ends.Key}: {ends.Sum()}");
        }
        output.WriteLine($"refused: {refused}, memory waits: {bench.Engine.Snapshot.MemoryWaits}, reclaimed: {bench.Engine.Snapshot.ReclaimedSequences}");
        Assert.True(refused > 0, "The load was meant to be too much.");
        Assert.True(clients.Sum(client => client.Ends.Values.Sum()) > 20);
        AssertOnlyPrefixColumnsRemain(bench);
    }

    private static EngineOptions Options(Random random) => new()
    {
        StepTokens = random.Next(4) switch { 0 => 1, 1 => 5, 2 => 24, _ => 100 },
        MaxRunning = random.Next(2, 12),
        QueueLimit = random.Next(1, 6),
        DefaultNewTokens = random.Next(1, 100),
        ReaderBufferTokens = random.Next(1, 20),
        SlowReaderSeconds = 0.5,
        MemoryWaitSeconds = 1,
        QueueWaitSeconds = 2,
    };

    private static int Act(EngineBench bench, List<RandomClient> clients, Random random)
    {
        RandomClient? client = clients.Count == 0 ? null : clients[random.Next(clients.Count)];
        switch (random.Next(8))
        {
            case 0 or 1 when clients.Count(open => !open.Closed) < 14:
                clients.Add(new RandomClient(bench, $"tenant{random.Next(3)}", clients.Count) { NeverReads = random.Next(6) == 0 });
                return Submit(bench, clients[^1], random);
            case 2 or 3 or 4 when client is { Closed: false, Busy: false }:
                return Submit(bench, client, random);
            case 5 when client is { Closed: false, Busy: true }:
                client.Cancel(random.Next(2) == 0 ? null : random.Next(30));
                return 0;
            case 6 when client is { Closed: false } && random.Next(3) == 0:
                client.Close();
                return 0;
            default:
                return 0;
        }
    }

    private static int Submit(EngineBench bench, RandomClient client, Random random)
    {
        int[] held = client.Handle.CopyTokens();
        int[] prompt = random.Next(5) switch
        {
            0 => EngineBench.Prompt(random.Next(1, 500), seed: random.Next()),
            1 => EngineBench.Prompt(random.Next(1, 400), seed: 7), // all share one prefix
            2 => EngineBench.Prompt(random.Next(600, 800), seed: random.Next()),
            3 => held.Length == 0 ? [1] : [.. held[..random.Next(1, held.Length + 1)]],
            _ => [.. held, .. EngineBench.Prompt(random.Next(1, 40), seed: random.Next())],
        };
        GenerationSpec spec = bench.Spec(prompt, random.Next(4) == 0 ? null : random.Next(1, 120)) with
        {
            Sampling = random.Next(2) == 0 ? SamplingSpec.Greedy : new SamplingSpec(1, random.Next(50), 0.9f, 0.01f, random.Next()),
            Kv = new KvSpec { Mode = random.Next(2) == 0 ? KvMode.Lossless : KvMode.Elastic },
            Weight = random.Next(1, 4),
        };
        RefusalKind? refusal = client.Submit(spec);
        Assert.True(refusal is null or RefusalKind.QueueFull or RefusalKind.ContextLength or RefusalKind.NeverFits, $"{refusal}");
        return refusal is null ? 0 : 1;
    }

    private static void Finish(EngineBench bench, List<RandomClient> clients)
    {
        for (int step = 0; step < 5_000 && clients.Any(client => client.Busy); step++)
        {
            bench.Step();
            bench.Time.Advance(TimeSpan.FromMilliseconds(5));
            clients.ForEach(client => client.Read(always: true));
        }
        Assert.DoesNotContain(clients, client => client.Busy);
        foreach (RandomClient client in clients.Where(client => !client.Closed))
        {
            client.Close();
        }
    }

    private static void AssertOnlyPrefixColumnsRemain(EngineBench bench)
    {
        KvCacheStatistics kv = bench.Cache.Statistics();
        Assert.Equal((0, 0, 0), (bench.Engine.Snapshot.Running, bench.Engine.Snapshot.Queued, bench.Engine.Snapshot.IdleSequences));
        Assert.Equal(0, bench.Engine.Snapshot.CommittedBytes);
        Assert.Empty(bench.Engine.Sequences());
        Assert.Equal((long)kv.PrefixColumns * FakeRunner.Shape.HeadCount, kv.LiveUnits);
        Assert.Equal(kv.PrefixBytes, kv.UnreferencedPrefixBytes);
        Assert.Equal(bench.EmptyBytes + kv.PrefixBytes, kv.UsedBytes);
        bench.Cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(bench.EmptyBytes, bench.Cache.UsedBytes);
    }
}
