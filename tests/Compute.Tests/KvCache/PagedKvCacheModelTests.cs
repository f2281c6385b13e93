using Concertina.Compute.KvCache;

namespace Concertina.Compute.Tests.KvCache;

/// <summary>Random operations against a model that is a list of token arrays.</summary>
public sealed class PagedKvCacheModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Laws_hold_after_any_sequence_of_operations(int seed)
    {
        var random = new Random(seed);
        using PagedKvCache cache = Caches.New(budgetMiB: 6);
        long empty = cache.UsedBytes;
        List<(PageTable Table, int[] Tokens)> live = [];

        for (int step = 0; step < 250; step++)
        {
            Operate(cache, live, random);
            Assert.InRange(cache.UsedBytes, empty, cache.BudgetBytes);
            foreach ((PageTable table, int[] _) in live)
            {
                Assert.InRange(table.Bytes, 0, cache.CommitmentBytes(table.ReservedTokens));
            }
            cache.CheckIntegrity();
            if (step % 25 == 0 && live.Count > 0)
            {
                (PageTable table, int[] tokens) = live[random.Next(live.Count)];
                Caches.AssertContent(cache, table, tokens);
            }
        }

        foreach ((PageTable table, int[] tokens) in live)
        {
            Caches.AssertContent(cache, table, tokens);
            cache.Release(table);
        }
        long reclaimable = cache.UnreferencedPrefixBytes;
        Assert.Equal(reclaimable, cache.DropUnreferenced(long.MaxValue));
        Assert.Equal(empty, cache.UsedBytes);
        Assert.Equal(0, cache.Statistics().Extents);
        cache.CheckIntegrity();
    }

    private static void Operate(PagedKvCache cache, List<(PageTable Table, int[] Tokens)> live, Random random)
    {
        int which = live.Count == 0 ? 0 : random.Next(8);
        int index = live.Count == 0 ? 0 : random.Next(live.Count);
        switch (which)
        {
            case 0:
                Start(cache, live, random);
                break;
            case 1:
            case 2:
                Extend(cache, live, index, random);
                break;
            case 3:
                int kept = cache.Truncate(live[index].Table, random.Next(live[index].Table.TokenCount + 1));
                Assert.Equal(kept, live[index].Table.TokenCount);
                live[index] = (live[index].Table, live[index].Tokens[..kept]);
                break;
            case 4:
                cache.Release(live[index].Table);
                live.RemoveAt(index);
                break;
            case 5:
            case 6:
                cache.Publish(live[index].Table, Caches.Tenant, live[index].Tokens);
                break;
            default:
                cache.DropUnreferenced(random.Next(200_000));
                break;
        }
    }

    // Few seeds, so that prompts share prefixes.
    private static void Start(PagedKvCache cache, List<(PageTable, int[])> live, Random random)
    {
        int[] tokens = Caches.Tokens(random.Next(1, 900), seed: random.Next(3));
        PageTable table = cache.CreateTable();
        int match = cache.MatchLength(Caches.Tenant, tokens, deepestRung: 0);
        int adopted = cache.Adopt(table, Caches.Tenant, tokens, deepestRung: 0);
        Assert.InRange(adopted, 0, match);
        Assert.True(adopted < tokens.Length);
        if (Caches.TryFill(cache, table, tokens))
        {
            live.Add((table, tokens));
        }
        else
        {
            cache.Release(table);
        }
    }

    private static void Extend(PagedKvCache cache, List<(PageTable Table, int[] Tokens)> live, int index, Random random)
    {
        (PageTable table, int[] tokens) = live[index];
        int[] longer = [.. tokens, .. Caches.Tokens(random.Next(1, 200), random.Next())];
        int before = table.TokenCount;
        if (Caches.TryFill(cache, table, longer))
        {
            live[index] = (table, longer);
        }
        else
        {
            Assert.Equal(before, table.TokenCount);
        }
    }
}
