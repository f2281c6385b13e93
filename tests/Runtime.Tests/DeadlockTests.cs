using Concertina.Runtime.Tests.Conformance;
using Concertina.Runtime.Waiting;

namespace Concertina.Runtime.Tests;

public sealed class DeadlockTests
{
    [Fact]
    public async Task A_grain_that_waits_for_itself_over_another_is_named()
    {
        await using ITestCluster cluster = await Drivers.StartAsync("in memory");
        IWorkGrain a = cluster.Grains.GetGrain<IWorkGrain>("a");
        IWorkGrain b = cluster.Grains.GetGrain<IWorkGrain>("b");

        DeadlockException deadlock = await Assert.ThrowsAsync<DeadlockException>(() => a.Relay(b, a));

        Assert.Contains("work/a.Relay", deadlock.Message, StringComparison.Ordinal);
        Assert.Contains("work/b.Relay", deadlock.Message, StringComparison.Ordinal);
        Assert.Contains("work/a.Next", deadlock.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_wait_that_is_no_cycle_is_left_alone()
    {
        await using ITestCluster cluster = await Drivers.StartAsync("in memory");
        IWorkGrain a = cluster.Grains.GetGrain<IWorkGrain>("a");
        IWorkGrain b = cluster.Grains.GetGrain<IWorkGrain>("b");
        Task held = b.Hold("g");
        await cluster.Probe.WaitFor("hold g");

        Task<int> relayed = a.Relay(b, null);
        Task<int> behind = a.Next();
        cluster.Probe.Open("g");

        await held;
        Assert.Equal(1, await relayed);
        Assert.Equal(1, await behind);
    }
}
