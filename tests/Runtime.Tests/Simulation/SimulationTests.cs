using Concertina.Runtime.Tests.Conformance;

namespace Concertina.Runtime.Tests.Simulation;

public sealed class SimulationTests
{
    [Fact]
    public async Task The_same_seed_gives_the_same_order_of_turns_and_seeds_give_different_ones()
    {
        string[] first = await OrderOf(seed: 1);
        string[] again = await OrderOf(seed: 1);
        HashSet<string> orders = [];
        for (int seed = 0; seed < 20; seed++)
        {
            orders.Add(string.Join(' ', await OrderOf(seed)));
        }

        Assert.Equal(first, again);
        Assert.True(orders.Count > 10, $"20 seeds gave {orders.Count} orders.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_stream_outlives_the_response_timeout_by_heartbeats(int seed)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(seed);
        Task<int> sum = cluster.Begin(async () =>
        {
            int total = 0;
            await foreach (int token in cluster.Grains.GetGrain<IWorkGrain>("a").Tokens("g", 1, 3))
            {
                total += token;
            }

            return total;
        });
        cluster.Run();
        Assert.True(cluster.Probe.HasHappened("stream g"));

        for (int beat = 0; beat < 40; beat++)
        {
            cluster.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.False(sum.IsCompleted, sum.Exception?.ToString());
        cluster.Probe.Open("g");
        Assert.Equal(0 + 1 + 2 + 3, await RunToEnd(cluster, sum));
    }

    private static async Task<string[]> OrderOf(int seed)
    {
        await using SimulatedCluster cluster = await SimulatedCluster.StartAsync(seed);
        Task<int>[] callers = [.. Enumerable.Range(0, 8)
            .Select(i => cluster.Begin(() => cluster.Grains.GetGrain<IWorkGrain>($"k{i % 4}").Next()))];
        cluster.Run();
        await Task.WhenAll(callers);
        return cluster.Probe.Log;
    }

    // A gate opens on whatever thread opened it, so what waits behind it may reach the scheduler a moment later.
    private static async Task<T> RunToEnd<T>(SimulatedCluster cluster, Task<T> caller)
    {
        while (!caller.IsCompleted)
        {
            cluster.Run();
            await Task.Yield();
        }

        return await caller;
    }
}
