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
