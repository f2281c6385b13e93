using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Tests.KvCache;

public sealed class PrefixCacheTests
{
    [Fact]
    public void A_published_prefix_is_adopted_up_to_the_column_before_the_last_token()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(256, 1);
        PageTable first = Caches.Filled(cache, tokens);
        cache.Publish(first, Caches.Tenant, tokens);

        PageTable second = cache.CreateTable();
        int adopted = cache.Adopt(second, Caches.Tenant, tokens, deepestRung: 0);

        // 256 tokens are four columns, but one token must be left to compute.
        Assert.Equal(192, adopted);
        Assert.Equal(192, second.TokenCount);
        Assert.Equal(192, second.ExactTokens);
        Caches.AssertContent(cache, second, tokens);
        Assert.Equal(192, cache.Statistics().PrefixHitTokens);
        Assert.Equal(64, cache.Statistics().PrefixMissTokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Other_tenants_and_other_salts_never_match()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(200, 1);
        PrefixScope salted = PrefixScope.For("tenant", "salt");
        cache.Publish(Caches.Filled(cache, tokens), salted, tokens);

        Assert.Equal(192, cache.MatchLength(salted, tokens, deepestRung: 0));
        Assert.Equal(0, cache.MatchLength(PrefixScope.For("tenant", null), tokens, deepestRung: 0));
        Assert.Equal(0, cache.MatchLength(PrefixScope.For("tenant", ""), tokens, deepestRung: 0));
        Assert.Equal(0, cache.MatchLength(PrefixScope.For("tenantsalt", null), tokens, deepestRung: 0));
        Assert.Equal(0, cache.MatchLength(PrefixScope.For("other", "salt"), tokens, deepestRung: 0));
    }

    [Fact]
    public void A_hash_collision_never_shows_one_prefix_the_cache_of_another()
    {
        // Given a hash under which all columns of all scopes collide
        var options = new KvCacheOptions { BudgetBytes = 8L << 20 };
        using var cache = new PagedKvCache(Caches.Small, options, CacheParts.Lossless(new F16Codec()) with { Hash = static (_, _) => new ColumnHash(1, 2) });
        int[][] prompts = [Caches.Tokens(200, 1), Caches.Tokens(200, 2), [.. Caches.Tokens(64, 2), .. Caches.Tokens(200, 1)[64..]]];
        foreach (int[] prompt in prompts)
        {
            cache.Publish(Caches.Filled(cache, prompt), Caches.Tenant, prompt);
        }

        // When prompts, and mixtures of their columns, are looked up
        foreach (int[] prompt in prompts)
        {
            PageTable table = cache.CreateTable();
            Assert.Equal(192, cache.Adopt(table, Caches.Tenant, prompt, deepestRung: 0));
            Caches.AssertContent(cache, table, prompt);
        }
        int[] mixed = [.. prompts[0][..64], .. prompts[1][64..]];

        // Then only equal tokens after an equal prefix match
        Assert.Equal(64, cache.MatchLength(Caches.Tenant, mixed, deepestRung: 0));
        Assert.Equal(0, cache.MatchLength(PrefixScope.For("other", null), prompts[0], deepestRung: 0));
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Columns_computed_over_a_squeezed_prefix_are_taken_by_those_who_accept_its_rung_alone(int rung)
    {
        using var cache = new PagedKvCache(
            Caches.Small, new KvCacheOptions { BudgetBytes = 8L << 20 }, CacheParts.WithoutProfile("int4", "int2"));
        int[] document = Caches.Tokens(600, 1);
        cache.Publish(Caches.Filled(cache, document), Caches.Tenant, document);
        PageTable squeezed = cache.CreateTable();
        int[] longer = Caches.Tokens(900, 1);
        Assert.Equal(576, cache.Adopt(squeezed, Caches.Tenant, longer, deepestRung: 0));
        Squeezer.SetRung(squeezed, rung);
        while (cache.StepTowardsRung(squeezed).Outcome == SqueezeOutcome.Worked)
        {
        }
        Assert.True(Caches.TryFill(cache, squeezed, longer));
        cache.Publish(squeezed, Caches.Tenant, longer);

        for (int deepest = 0; deepest < 3; deepest++)
        {
            int match = deepest >= rung ? 896 : 576;
            Assert.Equal(match, cache.MatchLength(Caches.Tenant, longer, deepest));
            PageTable adopted = cache.CreateTable();
            Assert.Equal(match, cache.Adopt(adopted, Caches.Tenant, longer, deepest));
            Assert.Equal((576, deepest >= rung ? rung : 0), (adopted.ExactTokens, adopted.ReachedRung));
            cache.Release(adopted);
        }
        cache.CheckIntegrity();
    }

    [Fact]
    public void Publishing_equal_exact_columns_twice_keeps_one_copy()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(192, 1);
        PageTable first = Caches.Filled(cache, tokens);
        PageTable second = Caches.Filled(cache, tokens);
        long both = cache.Statistics().LiveUnits;
        cache.Publish(first, Caches.Tenant, tokens);

        cache.Publish(second, Caches.Tenant, tokens);

        Assert.Equal(both - (3 * Caches.Small.HeadCount), cache.Statistics().LiveUnits);
        Assert.Equal(first.Unit(3, 2), second.Unit(3, 2));
        Caches.AssertContent(cache, second, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Exact_and_inexact_columns_of_the_same_tokens_coexist()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(200, 1);
        PageTable squeezed = Caches.Filled(cache, tokens);
        squeezed.ExactTokens = 64;
        cache.Publish(squeezed, Caches.Tenant, tokens);
        Assert.Equal(64, cache.MatchLength(Caches.Tenant, tokens, deepestRung: 0));
        Assert.Equal(192, cache.MatchLength(Caches.Tenant, tokens, deepestRung: int.MaxValue));
        PageTable adopted = cache.CreateTable();
        cache.Adopt(adopted, Caches.Tenant, tokens, deepestRung: int.MaxValue);
        Assert.Equal(64, adopted.ExactTokens);

        // When the same tokens come exact, both are kept, and no table is switched to bits it did not compute
        PageTable exact = Caches.Filled(cache, tokens);
        cache.Publish(exact, Caches.Tenant, tokens);

        Assert.Equal(192, cache.MatchLength(Caches.Tenant, tokens, deepestRung: 0));
        Assert.Equal(5, cache.Statistics().PrefixColumns);
        Assert.NotEqual(squeezed.Unit(0, 1), exact.Unit(0, 1));
        cache.CheckIntegrity();

        // Then, when all tables are gone, children go before parents until nothing is left
        foreach (PageTable table in new[] { squeezed, adopted, exact })
        {
            cache.Release(table);
        }
        while (cache.DropUnreferenced(1) > 0)
        {
            cache.CheckIntegrity();
        }
        Assert.Equal(0, cache.Statistics().PrefixColumns);
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

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

    [Fact]
    public void Routing_hashes_are_chained_salted_and_stable()
    {
        int[] tokens = Caches.Tokens(64 * 70, 1);
        ulong[] hashes = new ulong[64];
        ulong[] shorter = new ulong[64];

        Assert.Equal(64, PagedKvCache.PrefixHashes(Caches.Tenant, tokens, hashes));
        Assert.Equal(3, PagedKvCache.PrefixHashes(Caches.Tenant, tokens.AsSpan(0, 200), shorter));

        Assert.Equal(hashes[..3], shorter[..3]);
        Assert.Equal(64, hashes.Distinct().Count());
        PagedKvCache.PrefixHashes(PrefixScope.For("other", null), tokens, shorter);
        Assert.Empty(hashes.Intersect(shorter));
    }
}
