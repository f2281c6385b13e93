using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Planning;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.Attention;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Sequences in a cache whose first deep rung evicts, and what their heads hold.</summary>
internal sealed class EvictionRig : IDisposable
{
    public const int Observed = 8;

    public static readonly KvShape Shape = new(2, 2, 2, 16);

    public EvictionRig(
        string rung = "f16+evict4",
        EvictionOptions? options = null,
        KvShape? shape = null,
        long budgetBytes = 64L << 20,
        params IReadOnlyList<string> rungs)
    {
        Options = options ?? new EvictionOptions();
        Sequences = new Sequences(
            shape ?? Shape, CacheParts.WithoutProfile([rung, .. rungs]) with { Eviction = Options }, budgetBytes, queryScale: 3f);
    }

    public EvictionOptions Options { get; }

    public Sequences Sequences { get; }

    public PagedKvCache Cache => Sequences.Cache;

    public int HeadCount => Cache.Shape.HeadCount;

    public int KeepOneIn => Cache.Rungs[1].Rung.KeepOneIn;

    public Sequences.Rows Rows(int count, int seed) => Sequences.NewRows(count, seed);

    /// <summary>A table on the deep rung with rows up to a count.</summary>
    public PageTable Filled(Sequences.Rows rows, int count)
    {
        PageTable table = Cache.CreateTable();
        Squeezer.SetRung(table, 1);
        Refill(table, rows, count);
        return table;
    }

    /// <summary>Fills a table up to a count; its rings are made before the last rows come.</summary>
    public void Refill(PageTable table, Sequences.Rows rows, int count)
    {
        Assert.True(Extend(table, rows, Math.Max(1, count - Observed)));
        Cache.Interior.Evictor.Step(table);
        Assert.True(Extend(table, rows, count));
    }

    /// <summary>Appends rows up to a count.</summary>
    public bool Extend(PageTable table, Sequences.Rows rows, int count)
    {
        int from = table.TokenCount;
        if (!Cache.TryReserve(table, count))
        {
            return false;
        }
        Sequences.Write(table, rows, from, count - from);
        Cache.Commit(table, count);
        return true;
    }

    /// <summary>Transcodes everything that left the window; evicts nothing.</summary>
    public void Sweep(PageTable table)
    {
        while (Cache.Interior.Squeezer.Step(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    /// <summary>Transcodes and evicts until nothing is left to do.</summary>
    /// <returns>Slices of eviction.</returns>
    public int Settle(PageTable table)
    {
        Sweep(table);
        return Evict(table);
    }

    /// <summary>Evicts until nothing is left to do.</summary>
    public int Evict(PageTable table)
    {
        int steps = 0;
        while (Cache.Interior.Evictor.Step(table).Outcome == EvictionOutcome.Worked)
        {
            Assert.True(++steps < 100_000);
        }
        return steps;
    }

    public UnitSlots Slots() => new(Cache.Interior.Units, Cache.Pages, Cache.Codecs);

    /// <summary>Positions of every live slot of a head, in the order of its list.</summary>
    public int[] Positions(PageTable table, int head)
    {
        UnitSlots slots = Slots();
        List<int> positions = [];
        int[] page = new int[KvShape.PageTokens];
        for (int index = 0; index < table.UnitCount(head); index++)
        {
            int count = slots.Positions(table, head, table.Unit(head, index), page);
            positions.AddRange(page[..count]);
        }
        return [.. positions];
    }

    /// <summary>Throws unless every live slot of every head holds the row of its position, which 16 bits keep as halves.</summary>
    public void AssertContent(PageTable table, Sequences.Rows rows)
    {
        int dim = Cache.Shape.HeadDim;
        float[] keys = new float[KvShape.PageTokens * dim];
        float[] values = new float[keys.Length];
        UnitSlots slots = Slots();
        int[] page = new int[KvShape.PageTokens];
        for (int head = 0; head < HeadCount; head++)
        {
            int last = -1;
            for (int index = 0; index < table.UnitCount(head); index++)
            {
                int count = slots.Positions(table, head, table.Unit(head, index), page);
                Cache.Pages.Decode(table, head, index, keys.AsSpan(0, count * dim), values.AsSpan(0, count * dim));
                for (int slot = 0; slot < count; slot++)
                {
                    Assert.True(page[slot] > last, $"head {head}: position {page[slot]} after {last}");
                    last = page[slot];
                    int from = (last * Sequences.KeyWidth) + (head % Cache.Shape.KvHeadCount * dim);
                    for (int c = 0; c < dim; c++)
                    {
                        Assert.Equal((float)(Half)rows.Keys[from + c], keys[(slot * dim) + c]);
                        Assert.Equal((float)(Half)rows.Values[from + c], values[(slot * dim) + c]);
                    }
                }
            }
            Assert.Equal(table.TokenCount - 1, last);
        }
    }

    /// <summary>Positions that the pure pieces would keep, computed from the rows: [head][survivors].</summary>
    public int[][] Expected(Sequences.Rows rows, int tokens)
    {
        int region = Squeezer.LimitColumn(tokens) * KvShape.PageTokens;
        int scored = region + KvShape.PageTokens;
        ScheduleHead[] heads = [.. Enumerable.Range(0, HeadCount).Select(head =>
        {
            float[] metric = Metric(rows, tokens, head);
            return new ScheduleHead([.. Enumerable.Range(0, scored)], metric[..scored]);
        })];
        ScheduleHead[] inner = [.. heads.Select(head => new ScheduleHead(
            head.Positions[KvShape.PageTokens..region], head.Metric[KvShape.PageTokens..region]))];
        var run = new ScheduleRun(inner, new ScheduleRules(KvShape.PageTokens, 0, 0, tokens), Options.Grain);
        long blocks = (long)HeadCount * ((region / KvShape.PageTokens) - 1);
        long surplus = new EvictionBudget(KvShape.PageTokens, HeadCount, 0).ByOneIn(KeepOneIn, region - KvShape.PageTokens, blocks);
        int[] taken = run.Take(surplus, Options.Allocation).Blocks;
        return [.. Enumerable.Range(0, HeadCount).Select(head => (int[])
        [
            .. Enumerable.Range(0, KvShape.PageTokens), .. run.SurvivingPositions(head, taken[head]), .. Enumerable.Range(region, tokens - region),
        ])];
    }

    public void Dispose() => Sequences.Dispose();

    private float[] Metric(Sequences.Rows rows, int tokens, int head)
    {
        if (Options.Metric == EvictionMetric.Recency)
        {
            return [.. Enumerable.Range(0, tokens).Select(position => (float)position)];
        }
        int dim = Cache.Shape.HeadDim;
        int group = Cache.Shape.GroupSize;
        int kvHead = head % Cache.Shape.KvHeadCount;
        // The ring keeps position p at row p mod rows.
        int[] observed = [.. Enumerable.Range(tokens - Observed, Observed).OrderBy(position => position % Observed)];
        var run = new MetricRun
        {
            QueryHeads = group,
            KvHeads = 1,
            HeadDim = dim,
            Queries = [.. Enumerable.Range(0, group).SelectMany(g => observed.SelectMany(position =>
                Slice(rows.Queries, (position * Sequences.QueryWidth) + (((kvHead * group) + g) * dim))))],
            QueryPositions = observed,
            Keys = [.. Enumerable.Range(0, tokens).SelectMany(position => Slice(rows.Keys, (position * Sequences.KeyWidth) + (kvHead * dim)))],
            KeyPositions = [.. Enumerable.Range(0, tokens)],
        };
        return run.Metrics(Options).Metric;
    }

    private IEnumerable<float> Slice(float[] values, int from) =>
        values[from..(from + Cache.Shape.HeadDim)].Select(value => (float)(Half)value);
}
