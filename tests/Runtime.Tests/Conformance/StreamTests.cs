using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

public sealed class StreamTests
{
    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_stream_interleaves_with_requests_and_does_not_hold_its_activation(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        await using IAsyncEnumerator<int> tokens = grain.Tokens("g", 1, 1).GetAsyncEnumerator();
        Assert.True(await tokens.MoveNextAsync());
        Task<bool> waiting = tokens.MoveNextAsync().AsTask();
        await cluster.Probe.WaitFor("stream g");

        Assert.Equal(1, await grain.Next());
        await grain.End();

        await Assert.ThrowsAsync<EnumerationAbortedException>(() => waiting);
        await cluster.Probe.WaitFor("stream g left, cancelled True");
        await cluster.Probe.WaitFor("a ends: ApplicationRequested");
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Disposing_the_enumerator_cancels_the_iterator(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");

        await foreach (int token in grain.Tokens("g", 3, 1).WithBatchSize(1))
        {
            if (token == 1)
            {
                break;
            }
        }

        await cluster.Probe.WaitFor("stream g left, cancelled True");
    }

    [Theory]
    [InlineData("in memory", true)]
    [InlineData("in memory", false)]
    public async Task A_cancelled_token_ends_the_wait_and_cancels_the_iterator(string driver, bool asArgument)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IWorkGrain grain = cluster.Grains.GetGrain<IWorkGrain>("a");
        using CancellationTokenSource cancel = new();
        IAsyncEnumerable<int> stream = asArgument ? grain.Tokens("g", 1, 1, cancel.Token) : grain.Tokens("g", 1, 1);
        await using IAsyncEnumerator<int> tokens = stream.GetAsyncEnumerator(asArgument ? default : cancel.Token);
        Assert.True(await tokens.MoveNextAsync());
        Task<bool> waiting = tokens.MoveNextAsync().AsTask();
        await cluster.Probe.WaitFor("stream g");

        await cancel.CancelAsync();

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        await cluster.Probe.WaitFor("stream g left, cancelled True");
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_token_cancelled_between_pulls_reaches_the_iterator_at_once(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        using CancellationTokenSource cancel = new();
        await using IAsyncEnumerator<int> tokens = cluster.Grains.GetGrain<IWorkGrain>("a").Tokens("g", 2, 1)
            .WithBatchSize(1).GetAsyncEnumerator(cancel.Token);
        Assert.True(await tokens.MoveNextAsync());

        await cancel.CancelAsync();

        await cluster.Probe.WaitFor("stream g left, cancelled True");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tokens.MoveNextAsync().AsTask());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task An_exception_in_the_iterator_comes_after_the_elements_before_it(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        List<int> seen = [];

        ArgumentException fault = await Assert.ThrowsAsync<ArgumentException>(async () =>
        {
            await foreach (int token in cluster.Grains.GetGrain<IWorkGrain>("a").Faulty(3))
            {
                seen.Add(token);
            }
        });

        Assert.Equal("no more", fault.Message);
        Assert.Equal([0, 1, 2], seen);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_stream_nobody_pulls_is_ended(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        await using IAsyncEnumerator<int> tokens = cluster.Grains.GetGrain<IWorkGrain>("a").Tokens("g", 2, 1)
            .WithBatchSize(1).GetAsyncEnumerator();
        Assert.True(await tokens.MoveNextAsync());
        await cluster.Grains.GetGrain<IWorkGrain>("a").Peek();

        cluster.Advance(TimeSpan.FromSeconds(31));
        cluster.Advance(TimeSpan.FromSeconds(31));

        await cluster.Probe.WaitFor("stream g left, cancelled True");
        await Assert.ThrowsAsync<EnumerationAbortedException>(() => tokens.MoveNextAsync().AsTask());
    }
}
