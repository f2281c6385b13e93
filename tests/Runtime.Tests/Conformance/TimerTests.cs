namespace Concertina.Runtime.Tests.Conformance;

public sealed class TimerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_timer_ticks_when_due_and_then_by_its_period_until_stopped(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        ITimedGrain grain = cluster.Grains.GetGrain<ITimedGrain>("a");
        await grain.Start(Second, 2 * Second, interleave: false, gate: null);

        cluster.Advance(0.9 * Second);
        Assert.Equal(0, await grain.Ticks());
        cluster.Advance(0.1 * Second);
        await cluster.Probe.WaitFor("ticked 1");
        await grain.Hold("g1").WaitAfterOpening(cluster, "g1");
        cluster.Advance(2 * Second);
        await cluster.Probe.WaitFor("ticked 2");
        await grain.Stop();
        cluster.Advance(20 * Second);

        Assert.Equal(2, await grain.Ticks());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_tick_waits_for_the_running_request_unless_it_interleaves(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        ITimedGrain waiting = cluster.Grains.GetGrain<ITimedGrain>("waiting");
        ITimedGrain eager = cluster.Grains.GetGrain<ITimedGrain>("eager");
        await waiting.Start(Second, Timeout.InfiniteTimeSpan, interleave: false, gate: null);
        await eager.Start(Second, Timeout.InfiniteTimeSpan, interleave: true, gate: null);
        Task held = waiting.Hold("w");
        Task heldToo = eager.Hold("e");
        await cluster.Probe.WaitFor("hold w");
        await cluster.Probe.WaitFor("hold e");

        cluster.Advance(Second);
        await cluster.Probe.WaitFor("ticked 1");

        Assert.Equal(1, await eager.Ticks());
        Assert.Equal(0, await waiting.Ticks());
        cluster.Probe.Open("w");
        cluster.Probe.Open("e");
        await Task.WhenAll(held, heldToo);
        await waiting.Hold("after").WaitAfterOpening(cluster, "after");
        Assert.Equal(1, await waiting.Ticks());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Ticks_never_overlap_however_late_they_are(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        ITimedGrain grain = cluster.Grains.GetGrain<ITimedGrain>("a");
        await grain.Start(Second, Second, interleave: true, gate: "tick");
        cluster.Advance(Second);
        await cluster.Probe.WaitFor("tick 1");

        cluster.Advance(10 * Second);

        Assert.Equal(1, await grain.Ticks());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_changed_timer_keeps_its_new_times(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        ITimedGrain grain = cluster.Grains.GetGrain<ITimedGrain>("a");
        await grain.Start(Second, Second, interleave: false, gate: null);

        await grain.Change(10 * Second, Timeout.InfiniteTimeSpan);
        cluster.Advance(9 * Second);
        Assert.Equal(0, await grain.Ticks());
        cluster.Advance(Second);
        await cluster.Probe.WaitFor("ticked 1");
        cluster.Advance(60 * Second);

        Assert.Equal(1, await grain.Ticks());
    }
}
