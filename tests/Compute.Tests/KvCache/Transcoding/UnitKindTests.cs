using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;
using Concertina.Compute.Tests.KvCache.Codecs;

namespace Concertina.Compute.Tests.KvCache.Transcoding;

/// <summary>Units that cover several heads or pages: moved together, cut as a whole, counted once, and attended over page by page.</summary>
public sealed class UnitKindTests
{
    private const int Layer = 1;
    private const int Segment = 2;
    private const int Column = 3;
    private const int Page = 4;

    private static readonly string[] Names = ["f16", "layer", "segment", "column", "page"];

    [Theory]
    [InlineData(Layer, 640, 2 * 7)]
    [InlineData(Column, 640, 7)]
    [InlineData(Segment, 640, 4 * 1)]
    [InlineData(Segment, 1100, 4 * 2)]
    [InlineData(Page, 640, 4 * 7)]
    public void What_left_the_window_is_stored_in_whole_units(int rung, int count, int units)
    {
        using PagedKvCache cache = Cache();
        int[] tokens = Caches.Tokens(count, seed: 1);
        PageTable table = Caches.Filled(cache, tokens);

        Settle(cache, table, rung);

        Assert.Equal(units, Handles(table).Count(unit => cache.Interior.Units.Entry(unit).KeyCodec >= 50));
        Assert.InRange(table.Bytes, 1, cache.SettledBytes(count, rung, atRest: true));
        Assert.InRange(table.Bytes, 1, cache.CommitmentBytes(count, rung, pendingColumns: 0));
        Assert.Equal(rung == Segment ? 4 * KvShape.PageTokens : KvShape.PageTokens, table.ExactTokens);
        Caches.AssertContent(cache, table, tokens);
        cache.CheckIntegrity();
        cache.Release(table);
        Assert.Equal(0, cache.Statistics().LiveUnits);
        cache.CheckIntegrity();
    }

    /// <summary>From every kind to every other: the smallest rectangle that cuts no unit moves at once.</summary>
    [Theory]
    [InlineData(Layer, Page)]
    [InlineData(Column, Page)]
    [InlineData(Segment, Page)]
    [InlineData(Layer, Segment)]
    [InlineData(Segment, Layer)]
    [InlineData(Segment, Column)]
    [InlineData(Column, Segment)]
    [InlineData(Column, Layer)]
    [InlineData(Layer, Column)]
    public void A_table_goes_from_any_kind_to_any_other(int from, int to)
    {
        using PagedKvCache cache = Cache();
        int[] tokens = Caches.Tokens(1100, seed: 1);
        PageTable table = Caches.Filled(cache, tokens);
        Settle(cache, table, from);
        long moved = table.TranscodedUnits;

        Settle(cache, table, to);

        cache.CheckIntegrity();
        Caches.AssertContent(cache, table, tokens);
        Assert.True(table.TranscodedUnits > moved);
        byte codec = (byte)cache.Rungs[to].Page.KeyCodec.Id;
        Assert.Equal(codec, cache.Interior.Units.Entry(table.Unit(3, 5)).KeyCodec);
        cache.Release(table);
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Laws_hold_whatever_happens_between_the_kinds(int seed)
    {
        var random = new Random(seed);
        using PagedKvCache cache = Cache();
        long empty = cache.UsedBytes;
        List<(PageTable Table, int[] Tokens)> live = [];
        for (int step = 0; step < 150; step++)
        {
            Operate(cache, live, random);
            cache.CheckIntegrity();
            foreach ((PageTable table, int[] tokens) in live)
            {
                Assert.Equal(tokens.Length, table.TokenCount);
            }
            if (step % 10 == 0 && live.Count > 0)
            {
                (PageTable table, int[] tokens) = live[random.Next(live.Count)];
                Caches.AssertContent(cache, table, tokens);
            }
        }
        live.ForEach(one => Caches.AssertContent(cache, one.Table, one.Tokens));
        live.ForEach(one => cache.Release(one.Table));
        cache.DropUnreferenced(long.MaxValue);
        Assert.Equal(empty, cache.UsedBytes);
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(Segment, 700, 512, 512)]
    [InlineData(Segment, 700, 500, 256)]
    [InlineData(Segment, 700, 300, 256)]
    [InlineData(Segment, 700, 256, 256)]
    [InlineData(Segment, 700, 200, 200)]
    [InlineData(Layer, 700, 300, 256)]
    [InlineData(Column, 700, 320, 320)]
    public void A_cut_keeps_whole_units(int rung, int count, int wanted, int expected)
    {
        using PagedKvCache cache = Cache();
        int[] tokens = Caches.Tokens(count, seed: 2);
        PageTable table = Caches.Filled(cache, tokens);
        Settle(cache, table, rung);

        Assert.Equal(expected, cache.Truncate(table, wanted));

        cache.CheckIntegrity();
        Caches.AssertContent(cache, table, tokens.AsSpan(0, expected));
        Assert.True(Caches.TryFill(cache, table, tokens));
        Settle(cache, table, rung);
        Caches.AssertContent(cache, table, tokens);
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(Layer)]
    [InlineData(Segment)]
    [InlineData(Column)]
    public void Attention_over_every_kind_equals_attention_over_the_pages_it_was_made_of(int rung)
    {
        using var sequences = new Sequences(new KvShape(2, 2, 2, 32), Parts(), budgetBytes: 64L << 20);
        Sequences.Rows rows = sequences.NewRows(1500, seed: 3);
        PageTable paged = sequences.Filled(rows);
        PageTable wide = sequences.Filled(rows);
        Settle(sequences.Cache, wide, rung);
        foreach ((int from, int count) in (ReadOnlySpan<(int, int)>)[(1499, 1), (1400, 100), (1490, 7)])
        {
            for (int layer = 0; layer < 2; layer++)
            {
                float[] expected = new Step(sequences).Add(paged, rows, from, count).Run(layer: layer);
                float[] one = new Step(sequences).Add(wide, rows, from, count).Run(layer: layer);
                float[] three = new Step(sequences, workerCount: 3).Add(wide, rows, from, count).Run(new Random(1), layer);
                Assert.Equal(one, three);
                Assert.Equal(expected, one);
            }
        }
    }

    [Fact]
    public void Values_that_do_not_fit_leave_the_whole_group_as_it_was()
    {
        var segment = new WideCodec<WideSegment> { Refuses = true };
        using PagedKvCache cache = Cache(segment);
        int[] tokens = Caches.Tokens(700, seed: 5);
        PageTable table = Caches.Filled(cache, tokens);
        long bytes = table.Bytes;

        Settle(cache, table, Segment);

        Assert.Equal((bytes, 700, 0L), (table.Bytes, table.ExactTokens, table.TranscodedUnits));
        Caches.AssertContent(cache, table, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Without_room_for_all_of_a_group_nothing_changes()
    {
        using PagedKvCache cache = Cache(budgetBytes: 7L << 20);
        int[] tokens = Caches.Tokens(700, seed: 6);
        PageTable table = Caches.Filled(cache, tokens);
        List<PageTable> others = [];
        while (true)
        {
            PageTable other = cache.CreateTable();
            others.Add(other);
            if (!Caches.TryFill(cache, other, Caches.Tokens(64, others.Count)))
            {
                break;
            }
        }
        Squeezer.SetRung(table, Segment);
        int moved = 0;
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked && moved++ < 1000)
        {
            cache.CheckIntegrity();
        }
        Caches.AssertContent(cache, table, tokens);
        others.ForEach(cache.Release);
        Settle(cache, table, Segment);
        Assert.Equal(4, Handles(table).Count(unit => cache.Interior.Units.Entry(unit).KeyCodec >= 50));
        Caches.AssertContent(cache, table, tokens);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Two_sides_of_a_rung_store_units_of_one_kind()
    {
        CacheParts parts = Parts() with { Rungs = [new("mixed", "layer", "page", 1)] };
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => new PagedKvCache(Caches.Small, new KvCacheOptions { BudgetBytes = 8 << 20 }, parts));
        Assert.Contains("layer", refused.Message, StringComparison.Ordinal);
    }

    internal static CacheParts Parts(WideCodec<WideSegment>? segment = null) => new()
    {
        Open = new F16Codec(),
        Codecs = new CodecSet([
            .. CodecCatalog.All, new WideCodec<WideLayer>(), segment ?? new WideCodec<WideSegment>(), new WideCodec<WideColumn>(), new WideCodec<WidePage>(),
        ]),
        Rungs = [WideCodec<WideLayer>.Rung, WideCodec<WideSegment>.Rung, WideCodec<WideColumn>.Rung, WideCodec<WidePage>.Rung],
    };

    private static PagedKvCache Cache(WideCodec<WideSegment>? segment = null, long budgetBytes = 24L << 20) =>
        new(Caches.Small, new KvCacheOptions { BudgetBytes = budgetBytes }, Parts(segment));

    private static void Settle(PagedKvCache cache, PageTable table, int rung)
    {
        Squeezer.SetRung(table, rung);
        SqueezeOutcome outcome;
        do
        {
            outcome = cache.StepTowardsRung(table).Outcome;
        }
        while (outcome == SqueezeOutcome.Worked);
        Assert.Equal(SqueezeOutcome.Done, outcome);
    }

    private static IEnumerable<UnitHandle> Handles(PageTable table) => Enumerable.Range(0, Caches.Small.HeadCount)
        .SelectMany(head => Enumerable.Range(0, table.UnitCount(head)).Select(index => table.Unit(head, index))).Distinct();

    private static void Operate(PagedKvCache cache, List<(PageTable Table, int[] Tokens)> live, Random random)
    {
        int index = live.Count == 0 ? 0 : random.Next(live.Count);
        switch (live.Count == 0 ? 0 : random.Next(10))
        {
            case 0:
                int[] tokens = Caches.Tokens(random.Next(1, 1200), seed: random.Next(3));
                PageTable table = cache.CreateTable();
                cache.Adopt(table, Caches.Tenant, tokens, deepestRung: 0);
                Keep(cache, live, table, tokens, Caches.TryFill(cache, table, tokens));
                break;
            case 1:
                int[] longer = [.. live[index].Tokens, .. Caches.Tokens(random.Next(1, 300), random.Next())];
                live[index] = Caches.TryFill(cache, live[index].Table, longer) ? (live[index].Table, longer) : live[index];
                break;
            case 2:
                int kept = cache.Truncate(live[index].Table, random.Next(live[index].Tokens.Length + 1));
                live[index] = (live[index].Table, live[index].Tokens[..kept]);
                break;
            case 3:
                cache.Release(live[index].Table);
                live.RemoveAt(index);
                break;
            case 4:
                bool forked = cache.TryFork(live[index].Table, out PageTable fork, deep: random.Next(2) == 0);
                if (forked)
                {
                    live.Add((fork, live[index].Tokens));
                }
                break;
            case 5:
                cache.Publish(live[index].Table, Caches.Tenant, live[index].Tokens);
                break;
            default:
                if (random.Next(2) == 0)
                {
                    Squeezer.SetRung(live[index].Table, random.Next(Names.Length));
                }
                for (int step = random.Next(1, 200); step > 0 && cache.StepTowardsRung(live[index].Table).Outcome == SqueezeOutcome.Worked; step--)
                {
                }
                break;
        }
    }

    private static void Keep(PagedKvCache cache, List<(PageTable, int[])> live, PageTable table, int[] tokens, bool filled)
    {
        if (filled)
        {
            live.Add((table, tokens));
            return;
        }
        cache.Release(table);
    }
}
