using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;
using Concertina.Compute.Tests.KvCache.Eviction;

namespace Concertina.Compute.Tests.KvCache.Rungs;

public sealed class RungSharesTests
{
    [Fact]
    public void Units_count_by_the_rung_they_are_on_and_old_ones_less_where_they_decay()
    {
        using var cache = new PagedKvCache(Caches.Small, new KvCacheOptions { BudgetBytes = 8L << 20 }, CacheParts.WithoutProfile("int4", "int2"));
        PageTable table = Caches.Filled(cache, Caches.Tokens(704, 1));
        Settle(cache, table, rung: 2); // columns 1 to 8 left the window: (704 - 128) / 64 is 9
        Assert.True(Caches.TryFill(cache, table, Caches.Tokens(1024, 1)));
        Settle(cache, table, rung: 1); // and so did 9 to 13 since

        Assert.Equal([0, 5 / 13.0, 8 / 13.0], Shares(table, decay: 0, rungs: 3), Close);
        double[] decayed = Shares(table, decay: 1, rungs: 3);
        Assert.Equal(1, decayed.Sum(), 12);
        double near = Enumerable.Range(1, 5).Sum(age => 1.0 / age);
        Assert.Equal(near / Enumerable.Range(1, 13).Sum(age => 1.0 / age), decayed[1], 12);
    }

    [Fact]
    public void What_is_exact_on_every_rung_is_not_counted()
    {
        using var cache = new PagedKvCache(Caches.Small, new KvCacheOptions { BudgetBytes = 8L << 20 }, CacheParts.WithoutProfile("int4"));
        PageTable table = Caches.Filled(cache, Caches.Tokens(250, 1));
        Settle(cache, table, rung: 1);

        Assert.Equal([0, 0], Shares(cache.CreateTable(), decay: 1, rungs: 2));
        Assert.Equal([0, 0], Shares(table, decay: 1, rungs: 2)); // one column left the window, and it is the first
    }

    [Theory]
    [InlineData("f16+evict2")]
    [InlineData("f16+evict4")]
    public void An_evicted_region_is_told_by_its_form_and_by_what_is_left(string rung)
    {
        using var rig = new EvictionRig(rung);
        Sequences.Rows rows = rig.Rows(1100, seed: 3);
        PageTable table = rig.Filled(rows, 901);
        rig.Settle(table);

        double[] shares = Shares(table, decay: 0, rungs: 2);

        Assert.Equal([0, 1], shares, Close);
    }

    [Fact]
    public void Each_part_of_a_region_counts_by_the_most_thorough_eviction_it_saw()
    {
        using var rig = new EvictionRig("f16+evict2", rungs: ["f16+evict4"]);
        Sequences.Rows rows = rig.Rows(2000, seed: 4);
        PageTable table = rig.Filled(rows, 901); // columns 1 to 11 have left the window
        Squeezer.SetRung(table, 2);
        rig.Settle(table);
        Assert.Equal([0, 0, 1], Shares(table, decay: 1, rungs: 3), Close);

        Assert.True(rig.Extend(table, rows, 2000)); // and so have 12 to 28
        Squeezer.SetRung(table, 1);
        rig.Settle(table);

        Assert.Equal([0, 17 / 28.0, 11 / 28.0], Shares(table, decay: 1, rungs: 3), Close); // what is missed, is missed at any age
        Assert.Equal(0, rig.Cache.Truncate(table, 100));
        Assert.Null(table.Eviction.Reach.KeptOneIn(0));
    }

    [Fact]
    public void A_form_that_no_rung_evicts_so_much_of_counts_as_a_rung_that_does()
    {
        using var rig = new EvictionRig("f16+evict4", rungs: ["int4"]);
        Sequences.Rows rows = rig.Rows(1100, seed: 3);
        PageTable table = rig.Filled(rows, 901);
        rig.Settle(table);
        Squeezer.SetRung(table, 2);
        rig.Sweep(table);

        Assert.Equal([0, 1, 0], Shares(table, decay: 0, rungs: 3), Close);
    }

    private static bool Close(double expected, double actual) => Math.Abs(expected - actual) < 1e-9;

    private static double[] Shares(PageTable table, double decay, int rungs)
    {
        double[] shares = new double[rungs];
        RungShares.Of(table, decay, shares);
        return shares;
    }

    private static void Settle(PagedKvCache cache, PageTable table, int rung)
    {
        Squeezer.SetRung(table, rung);
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }
}
