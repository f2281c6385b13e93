using Concertina.Cli.Evaluation;

namespace Concertina.Grains.Tests.Cli;

public sealed class SeedShareTests
{
    private static readonly int[] Items = [.. Enumerable.Range(0, 10)];

    [Theory]
    [InlineData(1, 3, "0 1 2")]
    [InlineData(2, 3, "3 4 5")]
    [InlineData(3, 3, "6 7 8")]
    [InlineData(4, 3, "0 1 9")]
    [InlineData(0, 3, "7 8 9")]
    [InlineData(2, 10, "0 1 2 3 4 5 6 7 8 9")]
    [InlineData(5, 99, "0 1 2 3 4 5 6 7 8 9")]
    [InlineData(int.MaxValue, 3, "8 9 0")]
    public void Seeds_take_parts_that_follow_one_another(int seed, int most, string expected) =>
        Assert.Equal(expected.Split(' ').Select(int.Parse).Order(), new SeedShare(seed).Of(Items, most));

    [Fact]
    public void Of_nothing_there_is_no_part() => Assert.Empty(new SeedShare(3).Of(Array.Empty<int>(), 5));
}
