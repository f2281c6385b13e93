using System.Diagnostics;
using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

[System.Diagnostics.CodeAnalysis.SuppressMessage("Naming", "CA1711", Justification = "The subject is turns.")]
public sealed class TurnTests
{
    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_request_waits_until_the_one_before_has_ended_and_interleaving_ones_do_not(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");

        Task held = grain.Hold("g");
        await cluster.Probe.WaitFor("hold g");
        Task<int> next = grain.Next();
        int peeked = await grain.Peek();

        Assert.Equal(0, peeked);
        Assert.False(next.IsCompleted);
        cluster.Probe.Open("g");
        await held;
        Assert.Equal(1, await next);
        Assert.Equal(["a activates", "hold g", "held g", "a next"], cluster.Probe.Log);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Many_first_callers_meet_one_activation_and_no_increment_is_lost(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);

        int[] numbers = await Task.WhenAll(Enumerable.Range(0, 1000)
            .Select(_ => Task.Run(() => cluster.Grains.GetGrain<IWorkGrain>("a").Next())));

        Assert.Equal(Enumerable.Range(1, 1000), numbers.Order());
        Assert.Single(cluster.Probe.Log, "a activates");
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_cancelled_caller_is_released_at_once_and_the_callee_is_told(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        using CancellationTokenSource cancel = new();
        Task held = cluster.Grains.GetGrain<IWorkGrain>("a").Hold("g", cancel.Token);
        await cluster.Probe.WaitFor("hold g");

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);
        await cluster.Probe.WaitFor("cancelled g");
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_request_cancelled_in_the_mailbox_never_runs(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        using CancellationTokenSource cancel = new();
        Task held = grain.Hold("g");
        await cluster.Probe.WaitFor("hold g");
        Task<int> waiting = grain.Next(cancel.Token);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        cluster.Probe.Open("g");
        await held;

        Assert.Equal(1, await grain.Next());
    }

    [Theory]
    [InlineData("in memory", false)]
    [InlineData("in memory", true)]
    public async Task A_caller_waits_no_longer_than_the_response_timeout_and_the_callee_goes_on_unless_set_otherwise(string driver, bool cancels)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver, new ClusterSettings { CancelRequestOnTimeout = cancels });
        Task slow = cluster.Grains.GetGrain<IWorkGrain>("a").Slow("g");
        await cluster.Probe.WaitFor("hold g");

        cluster.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(slow.IsCompleted);
        cluster.Advance(TimeSpan.FromSeconds(0.2));

        TimeoutException late = await Assert.ThrowsAsync<TimeoutException>(() => slow);
        Assert.Contains("a.Slow", late.Message, StringComparison.Ordinal);
        if (!cancels)
        {
            cluster.Probe.Open("g");
        }

        await cluster.Probe.WaitFor(cancels ? "cancelled g" : "held g");
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_full_mailbox_refuses_and_a_cancelled_request_makes_room(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver, new ClusterSettings { MailboxLimit = 2 });
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        using CancellationTokenSource cancel = new();
        Task held = grain.Hold("g");
        await cluster.Probe.WaitFor("hold g");
        Task<int> first = grain.Next(cancel.Token);
        Task<int> second = grain.Next();

        LimitExceededException full = await Assert.ThrowsAsync<LimitExceededException>(() => grain.Next());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Task<int> third = grain.Next();
        cluster.Probe.Open("g");

        Assert.Contains("2 requests", full.Message, StringComparison.Ordinal);
        await held;
        Assert.Equal(1, await second);
        Assert.Equal(2, await third);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Of_the_callers_context_only_the_activity_and_the_request_context_cross(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        using Activity activity = new Activity("step").Start();
        WorkGrain.CallersOwn.Value = "mine";

        string seen = await cluster.Grains.GetGrain<IWorkGrain>("a").Ambient();

        Assert.Equal("none step", seen);
    }
}
