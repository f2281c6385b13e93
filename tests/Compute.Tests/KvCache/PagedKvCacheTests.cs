using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache;

public sealed class PagedKvCacheTests
{
    [Fact]
    public void A_table_never_holds_more_bytes_than_its_commitment_and_the_bound_is_monotonic()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 32);
        long last = 0;
        for (int tokens = 0; tokens <= 1200; tokens += 17)
        {
            PageTable table = cache.CreateTable();
            Assert.True(cache.TryReserve(table, tokens));
            Assert.InRange(table.Bytes, 0, cache.CommitmentBytes(tokens));
            Assert.InRange(cache.CommitmentBytes(tokens), last, long.MaxValue);
            last = cache.CommitmentBytes(tokens);
            cache.Release(table);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Commitments_within_the_committable_bytes_are_always_met(int seed)
    {
        // Given an odd page size, so that extents have a remainder, and other tables that come and go
        var random = new Random(seed);
        using PagedKvCache cache = Caches.New(budgetMiB: 9, new KvShape(3, 1, 1, 48));
        List<(PageTable Table, int Committed)> live = [];
        long committed = 0;
        for (int step = 0; step < 400; step++)
        {
            int tokens = random.Next(1, 1500);
            if (committed + cache.CommitmentBytes(tokens) <= cache.CommittableBytes)
            {
                committed += cache.CommitmentBytes(tokens);
                live.Add((cache.CreateTable(), tokens));
            }
            else if (live.Count > 0)
            {
                int gone = random.Next(live.Count);
                committed -= cache.CommitmentBytes(live[gone].Committed);
                cache.Publish(live[gone].Table, Caches.Tenant, Caches.Tokens(live[gone].Table.TokenCount, step));
                cache.Release(live[gone].Table);
                live.RemoveAt(gone);
            }
            // When a committed table grows in any order, then it gets its slots
            foreach ((PageTable table, int limit) in live)
            {
                int wanted = random.Next(table.ReservedTokens, limit + 1);
                Assert.True(cache.TryReserve(table, wanted));
                cache.Commit(table, wanted);
            }
            Assert.InRange(cache.UsedBytes, 0, cache.BudgetBytes);
        }
        cache.CheckIntegrity();
    }

    [Fact]
    public void A_reservation_that_cannot_be_met_changes_nothing()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 4);
        int[] tokens = Caches.Tokens(100, seed: 1);
        PageTable table = Caches.Filled(cache, tokens);
        long used = cache.UsedBytes;
        long bytes = table.Bytes;

        Assert.False(cache.TryReserve(table, 1_000_000));

        Assert.Equal(used, cache.UsedBytes);
        Assert.Equal(bytes, table.Bytes);
        Assert.Equal(100, table.ReservedTokens);
        Caches.AssertContent(cache, table, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void The_transcode_reserve_stays_free_of_sessions()
    {
        using PagedKvCache cache = Caches.New(budgetMiB: 8);
        List<PageTable> tables = [];
        while (true)
        {
            PageTable table = cache.CreateTable();
            if (!cache.TryReserve(table, 64))
            {
                break;
            }
            tables.Add(table);
        }

        KvCacheStatistics full = cache.Statistics();

        Assert.NotEmpty(tables);
        Assert.True(full.UsedBytes + full.FragmentedBytes <= cache.BudgetBytes - ExtentArena.ExtentBytes);
    }

    [Fact]
    public void Releasing_twice_and_foreign_tables_are_refused()
    {
        using PagedKvCache cache = Caches.New();
        using PagedKvCache other = Caches.New();
        PageTable table = Caches.Filled(cache, Caches.Tokens(10, 1));
        Assert.Contains("another cache", Assert.Throws<InvalidOperationException>(() => other.TryReserve(table, 20)).Message);
        cache.Release(table);

        Assert.Contains("released", Assert.Throws<InvalidOperationException>(() => cache.Release(table)).Message);
        Assert.Contains("released", Assert.Throws<InvalidOperationException>(() => cache.TryReserve(table, 20)).Message);
    }

    [Fact]
    public void A_budget_without_room_for_one_column_is_refused_with_the_bytes()
    {
        var options = new KvCacheOptions { BudgetBytes = 2L << 20 };

        ArgumentException refused = Assert.Throws<ArgumentException>(() => new PagedKvCache(Caches.Small, options));

        Assert.Contains("2,097,152", refused.Message);
        Assert.Contains("KvCache:BudgetBytes", refused.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_cache_never_chooses_its_own_budget(long budgetBytes)
    {
        KvCacheOptions options = new() { BudgetBytes = budgetBytes };

        Assert.Contains("KvCache:BudgetBytes", Assert.Throws<ArgumentException>(() => new PagedKvCache(Caches.Small, options)).Message);
    }

    [Theory]
    [InlineData("int7")]
    [InlineData("")]
    public void An_unknown_codec_is_refused_with_the_known_names(string codec) =>
        Assert.Contains("f32, f16", Assert.Throws<ArgumentException>(() => Caches.New(codec: codec)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    [InlineData(272)]
    public void A_head_dimension_the_kernels_cannot_take_is_refused(int headDim) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Caches.New(shape: new KvShape(1, 1, 1, headDim)));

    [Fact]
    public void A_smaller_budget_compacts_drops_unreferenced_columns_and_keeps_content()
    {
        // Given many sequences of which every other one is gone, so that extents are half empty
        using PagedKvCache cache = Caches.New(budgetMiB: 16);
        List<(PageTable Table, int[] Tokens)> kept = [];
        List<PageTable> gone = [];
        for (int i = 0; i < 60; i++)
        {
            int[] tokens = Caches.Tokens(400, i);
            PageTable table = Caches.Filled(cache, tokens);
            if (i % 2 == 0)
            {
                kept.Add((table, tokens));
            }
            else
            {
                gone.Add(table);
            }
        }
        gone.ForEach(cache.Release);
        int extents = cache.Statistics().Extents;

        // When the budget shrinks to what is needed
        bool resized = cache.TryResize(7L << 20);

        // Then fewer extents hold the same content, and growing back is possible
        Assert.True(resized);
        Assert.InRange(cache.Statistics().Extents, 1, extents - 1);
        Assert.True(cache.Statistics().UsedBytes + cache.Statistics().FragmentedBytes <= 7L << 20);
        cache.CheckIntegrity();
        Assert.All(kept, pair => Caches.AssertContent(cache, pair.Table, pair.Tokens));
        Assert.False(cache.TryResize(4L << 20));
        Assert.Equal(7L << 20, cache.BudgetBytes);
        Assert.True(cache.TryResize(16L << 20));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.TryResize(17L << 20));
    }

    [Fact]
    public void Writing_into_a_shared_page_or_beyond_the_reservation_is_refused()
    {
        using PagedKvCache cache = Caches.New();
        int[] tokens = Caches.Tokens(64, 1);
        PageTable table = Caches.Filled(cache, tokens);
        cache.Publish(table, Caches.Tenant, tokens);

        Assert.Throws<InvalidOperationException>(() => Caches.Write(cache, table, 0, tokens));
        Assert.Throws<ArgumentOutOfRangeException>(() => Caches.Write(cache, table, 64, Caches.Tokens(65, 1)));
    }

    [Fact]
    public void Exact_tokens_stop_growing_after_the_first_inexact_column()
    {
        using PagedKvCache cache = Caches.New();
        PageTable table = Caches.Filled(cache, Caches.Tokens(200, 1));
        Assert.Equal(200, table.ExactTokens);
        table.ExactTokens = 64;

        Assert.True(Caches.TryFill(cache, table, Caches.Tokens(300, 1)));
        Assert.Equal(64, table.ExactTokens);
        cache.Truncate(table, 30);
        Assert.True(Caches.TryFill(cache, table, Caches.Tokens(300, 1)));

        Assert.Equal(300, table.ExactTokens);
    }
}
