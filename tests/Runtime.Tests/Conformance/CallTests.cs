using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

public sealed class CallTests
{
    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_grain_answers_in_every_return_shape(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IEchoGrain grain = cluster.Grains.GetGrain<IEchoGrain>("tenant/α 1");

        await grain.Nothing();
        await grain.ValueNothing();
        List<int> counted = [];
        await foreach (int i in grain.Count(250).WithBatchSize(7))
        {
            counted.Add(i);
        }

        Assert.Equal("tenant/α 1", await grain.Key());
        Assert.Equal(7, await grain.Add(3, 4));
        Assert.Equal(Enumerable.Range(0, 250), counted);
        Assert.Equal(grain, await grain.Self());
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Values_are_copied_but_immutable_ones_are_shared(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IEchoGrain grain = cluster.Grains.GetGrain<IEchoGrain>("a");
        Note sent = new() { Text = "hello", Numbers = [1, 2], Frozen = new("f", 3), Shared = [1, 2], NotSent = "x" };

        Note received = await grain.SendBack(sent);

        Assert.NotSame(sent, received);
        Assert.Equal("hello", received.Text);
        Assert.Equal([1, 2], received.Numbers);
        Assert.NotSame(sent.Numbers, received.Numbers);
        Assert.Same(sent.Frozen, received.Frozen);
        Assert.Same(sent.Shared, received.Shared);
        Assert.Equal("", received.NotSent);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task Exceptions_cross_as_themselves_when_known_and_wrapped_when_not(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IEchoGrain grain = cluster.Grains.GetGrain<IEchoGrain>("a");

        ArgumentException known = await Assert.ThrowsAsync<ArgumentException>(() => grain.Throw("argument", "bad thing"));
        InvalidOperationException nested = await Assert.ThrowsAsync<InvalidOperationException>(() => grain.Throw("", "outer"));
        WrappedException wrapped = await Assert.ThrowsAsync<WrappedException>(() => grain.Throw("private", "secret 42"));

        Assert.Equal("bad thing", known.Message);
        Assert.Equal("inner outer", Assert.IsType<TimeoutException>(nested.InnerException).Message);
        Assert.Contains("secret 42", wrapped.Message, StringComparison.Ordinal);
        Assert.Contains("UnknownToCallersException", wrapped.OriginalExceptionType, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task The_request_context_travels_with_the_call(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        IEchoGrain grain = cluster.Grains.GetGrain<IEchoGrain>("a");

        RequestContext.Set("trace", "t-1");
        string? with = await grain.ReadContext("trace");
        RequestContext.Clear();
        string? without = await grain.ReadContext("trace");

        Assert.Equal("t-1", with);
        Assert.Null(without);
    }
}
