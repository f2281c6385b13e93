using Concertina.Compute.KvCache;

namespace Concertina.Compute.Tests.KvCache;

/// <summary>Small caches and recognisable content.</summary>
internal static class Caches
{
    public static readonly KvShape Small = new(2, 2, 1, 16);
    public static readonly PrefixScope Tenant = PrefixScope.For("tenant", null);

    public static PagedKvCache New(long budgetMiB = 8, KvShape? shape = null, string codec = "f16") =>
        new(shape ?? Small, new KvCacheOptions { BudgetBytes = budgetMiB << 20, Codec = codec });

    /// <summary>A prompt drawn from a seed; the same seed and a longer count continue it.</summary>
    public static int[] Tokens(int count, int seed)
    {
        var random = new Random(seed);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            tokens[i] = random.Next(1000);
        }
        return tokens;
    }

    /// <summary>Reserves, writes and commits positions up to a count; false when memory is short.</summary>
    public static bool TryFill(PagedKvCache cache, PageTable table, ReadOnlySpan<int> tokens)
    {
        if (!cache.TryReserve(table, tokens.Length))
        {
            return false;
        }
        Write(cache, table, table.TokenCount, tokens);
        cache.Commit(table, tokens.Length);
        return true;
    }

    public static PageTable Filled(PagedKvCache cache, ReadOnlySpan<int> tokens)
    {
        PageTable table = cache.CreateTable();
        Assert.True(TryFill(cache, table, tokens));
        return table;
    }

    /// <summary>Writes rows whose every channel is a function of (token, position, layer), as a model's would be.</summary>
    public static void Write(PagedKvCache cache, PageTable table, int from, ReadOnlySpan<int> tokens)
    {
        int width = cache.Shape.KvHeadCount * cache.Shape.HeadDim;
        int count = tokens.Length - from;
        float[] keys = new float[count * width];
        float[] values = new float[count * width];
        for (int layer = 0; layer < cache.Shape.LayerCount && count > 0; layer++)
        {
            for (int i = 0; i < keys.Length; i++)
            {
                int position = from + (i / width);
                keys[i] = Element(tokens[position], position, layer, i % width);
                values[i] = -keys[i];
            }
            cache.Write(table, layer, new KvRows { FirstPosition = from, RowCount = count, Keys = keys, Values = values });
        }
    }

    /// <summary>Throws unless every slot of the table holds what <see cref="Write"/> puts there.</summary>
    public static void AssertContent(PagedKvCache cache, PageTable table, ReadOnlySpan<int> tokens)
    {
        int headDim = cache.Shape.HeadDim;
        float[] keys = new float[KvShape.PageTokens * headDim];
        float[] values = new float[keys.Length];
        for (int head = 0; head < cache.Shape.HeadCount; head++)
        {
            for (int position = 0; position < table.TokenCount; position++)
            {
                int slot = position % KvShape.PageTokens;
                if (slot == 0)
                {
                    cache.Pages.Decode(table, head, position / KvShape.PageTokens, keys, values);
                }
                int channel = (head % cache.Shape.KvHeadCount * headDim) + (position % headDim);
                float expected = Element(tokens[position], position, head / cache.Shape.KvHeadCount, channel);
                Assert.Equal(expected, keys[(slot * headDim) + (position % headDim)]);
                Assert.Equal(-expected, values[(slot * headDim) + (position % headDim)]);
            }
        }
    }

    // Small integers are exact in 16 bits.
    private static float Element(int token, int position, int layer, int channel) =>
        ((token * 7) + (position * 3) + (layer * 11) + channel) % 2048;
}
