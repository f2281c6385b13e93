using Concertina.Cli.Benches.Cache;

namespace Concertina.Grains.Tests.Cli;

public sealed class RankCorrelationTests
{
    [Fact]
    public void It_is_of_ranks_alone_and_ties_share_theirs()
    {
        Assert.Equal(1, RankCorrelation.Of([1, 2, 3, 4], [1, 10, 100, 1000]), 12);
        Assert.Equal(-1, RankCorrelation.Of([1, 2, 3], [3, 2, 1]), 12);
        Assert.Equal(0.8, RankCorrelation.Of([1, 2, 3, 4], [1, 2, 4, 3]), 12);
        // Ranks 1, 2.5, 2.5, 4 against 1 to 4: 4.5 / sqrt(4.5 * 5).
        Assert.Equal(Math.Sqrt(0.9), RankCorrelation.Of([1, 2, 2, 3], [1, 2, 3, 4]), 12);
    }
}
