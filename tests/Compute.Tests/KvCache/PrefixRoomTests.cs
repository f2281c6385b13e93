using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Tests.KvCache;

/// <summary>Prefix columns when memory is short, and cuts inside of what is shared.</summary>
public sealed class PrefixRoomTests
{
    [Fact]
    public void Columns_are_dropped_least_recently_used_first_and_children_before_parents()
    {
        using PagedKvCache cache = Caches.New();
        int[] old = Caches.Tokens(200, 1);
        int[] recent = Caches.Tokens(200, 2);
        foreach (int[] tokens in new[] { old, recent, old, recent })
        {
            PageTable table = cache.CreateTable();
            cache.Adopt(table, Caches.Tenant, tokens, deepestRung: 0);
            Assert.True(Caches.TryFill(cache, table, tokens));
            cache.Publish(table, Caches.Tenant, tokens);
            cache.Release(table);
        }

        List<(int Old, int Recent)> matches = [];
        while (cache.DropUnreferenced(1) > 0)
        {
            matches.Add((cache.MatchLength(Caches.Tenant, old, deepestRung: 0), cache.MatchLength(Caches.Tenant, recent, deepestRung: 0)));
        }

        Assert.Equal([(128, 192), (64, 192), (0, 192), (0, 128), (0, 64), (0, 0)], matches);
    }

    [Fact]
    public void Referenced_columns_are_never_dropped()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(200, 1);
        PageTable table = Caches.Filled(cache, tokens);
        cache.Publish(table, Caches.Tenant, tokens);

        Assert.Equal(0, cache.UnreferencedPrefixBytes);
        Assert.Equal(0, cache.DropUnreferenced(long.MaxValue));
        cache.Truncate(table, 64);

        Assert.Equal(cache.UnreferencedPrefixBytes, cache.DropUnreferenced(long.MaxValue));
        Assert.Equal(64, cache.MatchLength(Caches.Tenant, tokens, deepestRung: 0));
    }

    [Fact]
    public void A_cut_inside_a_shared_column_copies_what_stays()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(200, 1);
        PageTable table = Caches.Filled(cache, tokens);
        cache.Publish(table, Caches.Tenant, tokens);

        Assert.Equal(100, cache.Truncate(table, 100));
        int[] other = [.. tokens[..100], .. Caches.Tokens(60, 9)];
        Assert.True(Caches.TryFill(cache, table, other));

        Caches.AssertContent(cache, table, other);
        PageTable again = cache.CreateTable();
        Assert.Equal(192, cache.Adopt(again, Caches.Tenant, tokens, deepestRung: 0));
        Caches.AssertContent(cache, again, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void A_cut_whose_copy_does_not_fit_falls_back_to_the_column_border()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 5);
        int[] tokens = Caches.Tokens(200, 1);
        PageTable table = Caches.Filled(cache, tokens.AsSpan(0, 192));
        cache.Publish(table, Caches.Tenant, tokens);
        PageTable holder = cache.CreateTable();
        cache.Adopt(holder, Caches.Tenant, tokens, deepestRung: 0);
        PageTable filler = cache.CreateTable();
        for (int fill = 64; cache.TryReserve(filler, fill); fill += 64)
        {
        }

        Assert.Equal(64, cache.Truncate(table, 100));
        Assert.Equal(64, table.TokenCount);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Short_memory_takes_unreferenced_columns_before_refusing()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 6);
        for (int seed = 0; seed < 40; seed++)
        {
            int[] tokens = Caches.Tokens(640, seed);
            PageTable table = Caches.Filled(cache, tokens);
            cache.Publish(table, Caches.Tenant, tokens);
            cache.Release(table);
        }

        Assert.True(cache.Statistics().DroppedColumns > 0);
        Assert.Equal(576, cache.MatchLength(Caches.Tenant, Caches.Tokens(640, 39), deepestRung: 0));
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_a_squeezed_sequence_left_behind_can_be_dropped_while_it_lives(int seed)
    {
        using PagedKvCache cache = new(Caches.Small, new KvCacheOptions { BudgetBytes = 8 << 20 }, CacheParts.WithoutProfile("int8"));
        long empty = cache.UsedBytes;
        int[] tokens = Caches.Tokens(1000, seed);
        PageTable table = Caches.Filled(cache, tokens);
        cache.Publish(table, Caches.Tenant, tokens);
        PageTable other = Caches.Filled(cache, Caches.Tokens(300, seed + 9));
        cache.Publish(other, Caches.Tenant, Caches.Tokens(300, seed + 9));

        Squeezer.SetRung(table, 1);
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
        Assert.True(cache.UnreferencedPrefixBytes > 0);
        cache.DropUnreferenced(long.MaxValue);

        cache.CheckIntegrity();
        Assert.Equal(0, cache.UnreferencedPrefixBytes);
        Assert.Equal(table.Bytes + other.Bytes, cache.UsedBytes - empty);
        // What nobody squeezed is shared as before, and the squeezed sequence goes on and may publish again.
        Assert.Equal(256, cache.MatchLength(Caches.Tenant, Caches.Tokens(300, seed + 9), deepestRung: 0));
        int[] longer = [.. tokens, .. Caches.Tokens(200, seed + 1)];
        Assert.True(Caches.TryFill(cache, table, longer));
        cache.Publish(table, Caches.Tenant, longer);
        cache.CheckIntegrity();
        cache.Release(table);
        cache.Release(other);
        cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    [Fact]
    public void A_request_that_can_never_fit_costs_no_prefix_column()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 6);
        int[] tokens = Caches.Tokens(200, 1);
        PageTable table = Caches.Filled(cache, tokens);
        cache.Publish(table, Caches.Tenant, tokens);
        cache.Release(table);

        Assert.False(cache.TryReserve(cache.CreateTable(), 1_000_000));

        Assert.Equal(3, cache.Statistics().PrefixColumns);
    }
}
