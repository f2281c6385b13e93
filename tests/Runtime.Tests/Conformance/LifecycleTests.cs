namespace Concertina.Runtime.Tests.Conformance;

public sealed class LifecycleTests
{
    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task An_ending_activation_finishes_its_request_and_the_next_one_gets_what_waited(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        Assert.Equal(1, await grain.Next());
        Task held = grain.Hold("g");
        await cluster.Probe.WaitFor("hold g");

        Task end = grain.End();
        Task<int> waiting = grain.Next();
        cluster.Probe.Open("g");
        await held;
        await end;

        // Two calls made at once may arrive in either order; behind the end there is a new activation.
        int next = await waiting;
        Assert.Equal(1, next == 2 ? await grain.Next() : next);
        await cluster.Probe.WaitFor("a ends: ApplicationRequested");
        Assert.Equal(2, cluster.Probe.Log.Count(entry => entry == "a activates"));
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_failed_activation_fails_its_callers_and_the_next_call_tries_again(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("broken");

        InvalidOperationException failed = await Assert.ThrowsAsync<InvalidOperationException>(() => grain.Next());
        cluster.Probe.Happened("repaired");

        Assert.Equal("cannot begin", failed.Message);
        Assert.Equal(1, await grain.Next());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task An_idle_activation_is_collected_and_a_delayed_or_busy_one_is_not(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        await cluster.Grains.GetGrain<IWorkGrain>("idle").Next();
        await cluster.Grains.GetGrain<IWorkGrain>("delayed").DelayEnd(TimeSpan.FromHours(1));
        IKeptGrain kept = cluster.Grains.GetGrain<IKeptGrain>("kept");
        await kept.Touch();
        Task busy = cluster.Grains.GetGrain<IWorkGrain>("busy").Hold("g");
        await cluster.Probe.WaitFor("hold g");

        for (int minute = 0; minute < 17; minute++)
        {
            cluster.Advance(TimeSpan.FromMinutes(1));
        }

        await cluster.Probe.WaitFor("idle ends: ActivationIdle");
        Assert.False(cluster.Probe.HasHappened("delayed ends: ActivationIdle"));
        Assert.False(cluster.Probe.HasHappened("busy ends: ActivationIdle"));
        Assert.Equal(2, await kept.Touch());
        cluster.Probe.Open("g");
        await Assert.ThrowsAsync<TimeoutException>(() => busy);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_stopping_cluster_ends_its_activations_with_the_reason(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        await grain.Next();

        await cluster.StopAsync();

        Assert.Contains("a ends: ShuttingDown", cluster.Probe.Log);
        await Assert.ThrowsAsync<Orleans.Runtime.SiloUnavailableException>(() => grain.Next());
    }
}
