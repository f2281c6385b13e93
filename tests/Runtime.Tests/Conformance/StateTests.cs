namespace Concertina.Runtime.Tests.Conformance;

public sealed class StateTests
{
    [Theory]
    [MemberData(nameof(Drivers.All), MemberType = typeof(Drivers))]
    public async Task A_written_state_meets_the_next_activation_and_a_cleared_one_is_gone(string driver)
    {
        await using ITestCluster cluster = await Drivers.StartAsync(driver);
        ILedgerGrain grain = cluster.Grains.GetGrain<ILedgerGrain>("a");

        string first = await grain.Add(3);
        await grain.End();
        Assert.Equal((3, true), await grain.Read());
        string second = await grain.Add(4);
        await grain.Clear();
        await grain.End();

        Assert.NotEqual(first, second);
        Assert.Equal((0, false), await grain.Read());
    }
}
