using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Rungs on which the model decides what goes (DMS): D7, D13, D16 of its tests, and that decisions stay with their slots.</summary>
public sealed class DecidedEvictionTests
{
    private const int Tokens = 1500;
    private const int Deep = 1;

    // Behind the first page and before the recent window.
    private static readonly int RegionEnd = (Tokens - Squeezer.RecentTokens) / KvShape.PageTokens * KvShape.PageTokens;

    private static readonly KvShape Shape = Caches.Small;

    [Theory]
    [InlineData("f16+dms2", 0.7)]
    [InlineData("f16+dms4", 0.75)]
    [InlineData("f16+dms4", 0.2)]
    [InlineData("int4+dms4", 0.5)]
    [InlineData("int8+dms8", 0.9)]
    public void Marked_tokens_beyond_the_window_go_and_nothing_younger_does(string rung, double share)
    {
        using PagedKvCache cache = Cache(rung);
        float[] logits = Logits(seed: 1, share);
        PageTable table = Filled(cache, logits, chunk: 100);
        Settle(cache, table);

        long kept = 0;
        for (int head = 0; head < Shape.HeadCount; head++)
        {
            List<int> positions = Positions(cache, table, head);
            Assert.Equal(positions.Order(), positions);
            Assert.Equal(Enumerable.Range(0, KvShape.PageTokens), positions.TakeWhile(position => position < KvShape.PageTokens));
            Assert.Equal(Enumerable.Range(RegionEnd, Tokens - RegionEnd), positions.Where(position => position >= RegionEnd));
            List<int> region = [.. positions.Where(position => position >= KvShape.PageTokens && position < RegionEnd)];
            kept += region.Count;
            Assert.All(region, position => Assert.True(logits[At(position, head)] <= 0, $"head {head} kept {position}, which is marked"));
            // Where more had to go than was marked, those nearest to it went: no token that stayed is nearer than one that went.
            byte nearest = region.Count == 0 ? (byte)0 : region.Max(position => SlotDecision.Of(logits[At(position, head)]));
            IEnumerable<int> gone = Enumerable.Range(KvShape.PageTokens, RegionEnd - KvShape.PageTokens).Except(region);
            Assert.All(gone, position => Assert.True(SlotDecision.Of(logits[At(position, head)]) >= nearest));
        }
        int columns = (RegionEnd / KvShape.PageTokens) - 1;
        Assert.InRange(kept, 0, (long)columns * KvShape.PageTokens * Shape.HeadCount / cache.Rungs[Deep].Rung.KeepOneIn + ((long)KvShape.PageTokens * Shape.HeadCount));
        Assert.InRange(table.Bytes, 1, cache.CommitmentBytes(Tokens, Deep, pendingColumns: 0));
        cache.CheckIntegrity();
        cache.Release(table);
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    [Fact]
    public void Chunks_forks_and_images_keep_every_decision()
    {
        using PagedKvCache cache = Cache("f16+dms4");
        float[] logits = Logits(seed: 2, 0.5);
        PageTable table = Filled(cache, logits, chunk: 1500);
        PageTable chunked = Filled(cache, logits, chunk: 7);
        Assert.True(cache.TryFork(table, out PageTable copy, deep: true));

        for (int head = 0; head < Shape.HeadCount; head++)
        {
            List<byte> codes = Codes(cache, table, head);
            Assert.Equal(Enumerable.Range(0, Tokens - 1).Select(position => SlotDecision.Of(logits[At(position, head)])), codes.Take(Tokens - 1));
            Assert.Equal(SlotDecision.Unknown, codes[Tokens - 1]); // the token after it has not come
            Assert.Equal(codes, Codes(cache, chunked, head));
            Assert.Equal(codes, Codes(cache, copy, head));
        }
        Settle(cache, table);
        Settle(cache, copy);
        for (int head = 0; head < Shape.HeadCount; head++)
        {
            Assert.Equal(Positions(cache, table, head), Positions(cache, copy, head));
            // What moved took its decision along.
            Assert.Equal(Positions(cache, table, head).Where(position => position < Tokens - 1).Select(position => SlotDecision.Of(logits[At(position, head)])),
                Codes(cache, table, head).Take(Positions(cache, table, head).Count - 1));
        }
        cache.CheckIntegrity();
    }

    [Fact]
    public void More_is_dropped_as_more_comes_and_a_cut_takes_new_decisions()
    {
        using PagedKvCache cache = Cache("int4+dms4");
        float[] logits = Logits(seed: 3, 0.75);
        PageTable table = cache.CreateTable();
        Squeezer.SetRung(table, Deep);
        for (int count = 50; count <= Tokens; count += 50)
        {
            Extend(cache, table, logits, count, chunk: 50);
            Settle(cache, table);
            Assert.InRange(table.Bytes, 1, cache.CommitmentBytes(count, Deep, pendingColumns: 1));
        }
        cache.CheckIntegrity();
        Assert.Equal(Tokens - 90, cache.Truncate(table, Tokens - 90));
        float[] others = Logits(seed: 4, 0.75);
        Extend(cache, table, others, Tokens, chunk: 20);
        int last = Tokens - 91; // decided anew by the token that follows it now
        Assert.Equal(SlotDecision.Of(others[At(last, 0)]), Codes(cache, table, 0)[Positions(cache, table, 0).IndexOf(last)]);
        cache.CheckIntegrity();
    }

    [Fact]
    public void A_shared_page_keeps_what_it_says()
    {
        using PagedKvCache cache = Cache("f16+dms2");
        float[] logits = Logits(seed: 5, 0.5);
        PageTable table = cache.CreateTable();
        Extend(cache, table, logits, 128, chunk: 128);
        Assert.True(cache.TryFork(table, out PageTable fork));

        Extend(cache, fork, logits, 200, chunk: 72);

        Assert.Equal(SlotDecision.Unknown, Codes(cache, table, 0)[127]);
        Assert.Equal(SlotDecision.Unknown, Codes(cache, fork, 0)[127]);
        Assert.Equal(SlotDecision.Of(logits[At(150, 0)]), Codes(cache, fork, 0)[150]);
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData("f16+dms4")]
    [InlineData("int4+dms2")]
    public void A_model_that_decides_nothing_has_no_such_rung(string rung)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => new PagedKvCache(Shape, new KvCacheOptions { BudgetBytes = 24 << 20 }, CacheParts.WithoutProfile(rung)));
        Assert.Contains("retrofitted", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Codes_keep_order_and_sign()
    {
        float[] logits = [float.NegativeInfinity, -400, -15.9f, -1, -0.125f, -0.06f, -0f, 0, float.Epsilon, 0.06f, 0.125f, 1, 15.9f, 400, float.PositiveInfinity];
        byte[] codes = [.. logits.Select(SlotDecision.Of)];
        Assert.Equal(codes.Order(), codes);
        Assert.All(logits.Zip(codes), pair => Assert.Equal(pair.First > 0, SlotDecision.IsMarked(pair.Second)));
        Assert.All(codes, code => Assert.NotEqual(SlotDecision.Unknown, code));
        Assert.Equal(SlotDecision.Unknown, SlotDecision.Of(float.NaN));
        Assert.False(SlotDecision.IsMarked(SlotDecision.Unknown));
    }

    private static PagedKvCache Cache(string rung) => new(
        Shape, new KvCacheOptions { BudgetBytes = 24L << 20 }, CacheParts.WithoutProfile(rung) with { KeepsDecisions = true });

    private static int At(int position, int head) => (position * Shape.HeadCount) + head;

    // [position, head], of the token at the position; the share of them is positive.
    private static float[] Logits(int seed, double share)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Tokens * Shape.HeadCount).Select(_ =>
            (float)((random.NextDouble() < share ? 1 : -1) * random.NextDouble() * 12))];
    }

    private static PageTable Filled(PagedKvCache cache, float[] logits, int chunk)
    {
        PageTable table = cache.CreateTable();
        Extend(cache, table, logits, Tokens, chunk);
        return table;
    }

    private static void Extend(PagedKvCache cache, PageTable table, float[] logits, int count, int chunk)
    {
        int width = Shape.KvHeadCount * Shape.HeadDim;
        while (table.TokenCount < count)
        {
            int first = table.TokenCount;
            int rows = Math.Min(chunk, count - first);
            Assert.True(cache.TryReserve(table, first + rows));
            for (int layer = 0; layer < Shape.LayerCount; layer++)
            {
                float[] keys = [.. Enumerable.Range(0, rows * width).Select(i => (float)((first * width) + i) / 1000 % 7)];
                float[] decisions = [.. Enumerable.Range(0, rows * Shape.KvHeadCount).Select(i =>
                    first + (i / Shape.KvHeadCount) == 0 ? 9f : logits[At(first + (i / Shape.KvHeadCount) - 1, (layer * Shape.KvHeadCount) + (i % Shape.KvHeadCount))])];
                cache.Write(table, layer, new KvRows { FirstPosition = first, RowCount = rows, Keys = keys, Values = keys, Decisions = decisions });
            }
            cache.Commit(table, first + rows);
        }
    }

    private static void Settle(PagedKvCache cache, PageTable table)
    {
        Squeezer.SetRung(table, Deep);
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    private static List<int> Positions(PagedKvCache cache, PageTable table, int head)
    {
        List<int> all = [];
        var slots = new UnitSlots(cache.Interior.Units, cache.Pages, cache.Codecs);
        for (int index = 0; index < table.UnitCount(head); index++)
        {
            int[] positions = new int[KvShape.PageTokens];
            int count = slots.Positions(table, head, table.Unit(head, index), positions);
            all.AddRange(positions[..count]);
        }
        return all;
    }

    private static List<byte> Codes(PagedKvCache cache, PageTable table, int head)
    {
        List<byte> all = [];
        var slots = new UnitSlots(cache.Interior.Units, cache.Pages, cache.Codecs);
        for (int index = 0; index < table.UnitCount(head); index++)
        {
            UnitHandle unit = table.Unit(head, index);
            all.AddRange(slots.Decisions(unit)[..slots.Count(table, unit)]);
        }
        return all;
    }
}
