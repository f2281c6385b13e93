using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Tests.KvCache;

public sealed class TableCopyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(700)]
    [InlineData(1025)]
    public void A_deep_copy_has_the_content_and_the_bytes_of_its_original_and_shares_no_unit(int count)
    {
        using PagedKvCache cache = Squeezable();
        PageTable table = Squeezed(cache, count, seed: 1);
        long before = cache.UsedBytes;
        Assert.True(cache.TryFork(table, out PageTable copy, deep: true));
        cache.CheckIntegrity();
        Assert.Equal(table.Bytes, cache.UsedBytes - before);
        Assert.Equal((table.Bytes, table.TokenCount, table.ExactTokens, table.ReachedRung), (copy.Bytes, copy.TokenCount, copy.ExactTokens, copy.ReachedRung));
        for (int head = 0; head < cache.Shape.HeadCount; head++)
        {
            Assert.Equal(table.UnitCount(head), copy.UnitCount(head));
            for (int index = 0; index < table.UnitCount(head); index++)
            {
                Assert.NotEqual(table.Unit(head, index), copy.Unit(head, index));
                Assert.Equal(Content(cache, table, head, index), Content(cache, copy, head, index));
            }
        }
        cache.Release(table);
        cache.CheckIntegrity();
        cache.Release(copy);
        cache.CheckIntegrity();
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    [Fact]
    public void A_copy_outlives_its_original_and_grows_on_by_itself()
    {
        using PagedKvCache cache = Squeezable();
        int[] tokens = Caches.Tokens(130, 3);
        PageTable table = Caches.Filled(cache, tokens.AsSpan(0, 100));
        Assert.True(cache.TryFork(table, out PageTable copy, deep: true));
        Assert.True(Caches.TryFill(cache, table, Caches.Tokens(120, 4)));
        cache.Release(table);
        Assert.True(Caches.TryFill(cache, copy, tokens));
        Caches.AssertContent(cache, copy, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void A_copy_that_does_not_fit_leaves_nothing_behind()
    {
        using PagedKvCache cache = Squeezable();
        PageTable table = Squeezed(cache, 2048, seed: 2);
        while (cache.TryFork(table, out _, deep: true))
        {
        }
        long full = cache.UsedBytes;
        Assert.False(cache.TryFork(table, out PageTable copy, deep: true));
        Assert.Equal(full, cache.UsedBytes);
        Assert.Equal(0, copy.Bytes);
        cache.CheckIntegrity();
    }

    private static PagedKvCache Squeezable() =>
        new(Caches.Small, new KvCacheOptions { BudgetBytes = 8 << 20 }, CacheParts.WithoutProfile("int8", "int4"));

    private static PageTable Squeezed(PagedKvCache cache, int count, int seed)
    {
        PageTable table = Caches.Filled(cache, Caches.Tokens(count, seed));
        Squeezer.SetRung(table, 2);
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
        return table;
    }

    private static float[] Content(PagedKvCache cache, PageTable table, int head, int index)
    {
        int slots = Math.Min(KvShape.PageTokens, table.TokenCount - (index * KvShape.PageTokens));
        float[] rows = new float[2 * slots * cache.Shape.HeadDim];
        cache.Pages.Decode(table, head, index, rows.AsSpan(0, rows.Length / 2), rows.AsSpan(rows.Length / 2));
        return rows;
    }
}
