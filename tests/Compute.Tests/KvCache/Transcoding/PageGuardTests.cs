using Concertina.Compute.Calibration;
using Concertina.Compute.Calibration.CommVq;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Tests.KvCache.Codecs.CommVq;

namespace Concertina.Compute.Tests.KvCache.Transcoding;

/// <summary>Pages that a coarse codec would lose too much of: kept in a finer form, but never beyond what their session is promised.</summary>
public sealed class PageGuardTests
{
    private const int Tokens = 640;
    private const int F16 = 0;
    private const int Int4 = 1;
    private const int CommVq2 = 2;
    private const int CommVq1 = 3;
    private const int Evicting = 4;
    private const int Never = 1_000_000;
    private const double Always = 1e-6;

    // All but the sinks and the recent window, for both heads.
    private const int Movable = 2 * ((Tokens / KvShape.PageTokens) - 1 - 2);

    private static readonly string[] Names = ["int4", "commvq2", "commvq1", "commvq2+evict2"];
    private static readonly KvShape Shape = new(1, 2, 1, 16);
    private static readonly CommVqBooks Books = TestCommVq.Trained(new CommVqShape(16, 6, 16, 8), Shape.HeadDim);

    [Fact]
    public void A_page_that_loses_too_much_keeps_its_form_while_the_promise_covers_it()
    {
        using PagedKvCache cache = Cache(Always);
        PageTable table = Filled(cache, Likely);

        Move(table, committed: F16, rung: CommVq2);

        Assert.Equal((Movable, 0), (table.GuardedUnits, table.TranscodedUnits));
        Assert.Equal(Tokens, table.ExactTokens);
        Assert.All(Codecs(table), codec => Assert.Equal(CodecId.F16, codec));
        Assert.InRange(table.Bytes, 1, cache.CommitmentBytes(Tokens));
        cache.CheckIntegrity();
    }

    [Fact]
    public void What_the_promise_does_not_cover_gets_the_promised_form()
    {
        using PagedKvCache cache = Cache(Always);
        PageTable table = Filled(cache, Likely);

        Move(table, committed: Int4, rung: CommVq2);

        Assert.Equal((Movable, Movable), (table.GuardedUnits, table.TranscodedUnits));
        Assert.InRange(table.ReachedRung, Int4, CommVq2);
        Assert.Equal(KvShape.PageTokens, table.ExactTokens);
        Assert.All(Codecs(table)[1..^2], codec => Assert.Equal(CodecId.Int4, codec));
        Assert.InRange(table.Bytes, 1, cache.CommitmentBytes(Tokens, Int4, pendingColumns: 0));
        Assert.Equal(UnguardedBytes(Int4), table.Bytes);
        cache.CheckIntegrity();
    }

    [Theory]
    [InlineData(CommVq2, Always)]
    [InlineData(CommVq1, Always)]
    [InlineData(F16, Never)]
    [InlineData(F16, 0)]
    public void Without_bytes_to_spare_or_without_a_guard_every_page_is_encoded(int committed, double factor)
    {
        using PagedKvCache cache = Cache(factor);
        PageTable table = Filled(cache, Likely);

        Move(table, committed, rung: CommVq2);

        Assert.Equal((0, Movable), (table.GuardedUnits, table.TranscodedUnits));
        Assert.Equal(UnguardedBytes(CommVq2), table.Bytes);
    }

    [Fact]
    public void A_smaller_promise_takes_kept_pages_along()
    {
        using PagedKvCache cache = Cache(Always);
        PageTable table = Filled(cache, Likely);
        Move(table, committed: F16, rung: CommVq2);

        Move(table, committed: Int4, rung: CommVq2);
        Assert.Equal(UnguardedBytes(Int4), table.Bytes);

        Move(table, committed: CommVq2, rung: CommVq2);
        Assert.Equal(UnguardedBytes(CommVq2), table.Bytes);
        cache.CheckIntegrity();
    }

    [Fact]
    public void Pages_like_the_calibrations_pass_and_others_do_not()
    {
        using PagedKvCache cache = Cache(1.5);
        PageTable likely = Filled(cache, Likely);
        PageTable other = Filled(cache, Other);

        Move(likely, committed: F16, rung: CommVq2);
        Move(other, committed: F16, rung: CommVq2);

        Assert.Equal(0, likely.GuardedUnits);
        Assert.Equal(Movable, other.GuardedUnits);
    }

    [Fact]
    public void A_rung_that_evicts_needs_every_page_in_its_form_and_guards_none()
    {
        using PagedKvCache cache = Cache(Always);
        PageTable table = Filled(cache, Likely);

        Move(table, committed: F16, rung: Evicting);

        Assert.Equal((0, Movable), (table.GuardedUnits, table.TranscodedUnits));
    }

    [Fact]
    public void A_shared_page_that_one_table_keeps_is_not_kept_by_another_that_is_promised_less()
    {
        using PagedKvCache cache = Cache(Always);
        PageTable table = Filled(cache, Likely);
        Assert.True(cache.TryFork(table, out PageTable fork));
        Move(table, committed: F16, rung: CommVq2);

        Move(fork, committed: CommVq2, rung: CommVq2);

        Assert.Equal((Movable, Movable), (table.GuardedUnits, fork.TranscodedUnits));
        cache.Release(table);
        cache.Release(fork);
        cache.CheckIntegrity();
        Assert.Equal(0, cache.Statistics().LiveUnits);
    }

    private static PagedKvCache Cache(double factor)
    {
        CommVqSetup setup = new()
        {
            Books = Books,
            Frequencies = [],
            PositionCount = 2 * Tokens,
            HistogramValues = false,
            Residuals = factor == 0 ? null : ResidualMedians.Of(Books, [Sample(1), Sample(2)], threads: 1, CancellationToken.None),
            GuardFactor = factor,
        };
        return new PagedKvCache(Shape, new KvCacheOptions { BudgetBytes = 32 << 20 }, new CacheParts
        {
            Open = new F16Codec(),
            Codecs = CodecCatalog.WithCommVq(setup),
            Rungs = [.. Names.Select(RungCatalog.Parse)],
        });
    }

    // As the books were trained on.
    private static HeadSample Sample(int head) =>
        new(KeySearch.Synthetic(400, Shape.HeadDim, head), KeySearch.Synthetic(400, Shape.HeadDim, head + 10));

    private static float[] Likely(int head, KvSide side)
    {
        HeadSample sample = Sample(head + 1);
        ReadOnlySpan<float> rows = side == KvSide.Keys ? sample.Keys.Span : sample.Values.Span;
        float[] repeated = new float[Tokens * Shape.HeadDim];
        for (int i = 0; i < repeated.Length; i++)
        {
            repeated[i] = rows[i % rows.Length];
        }
        return repeated;
    }

    // No structure at all.
    private static float[] Other(int head, KvSide side)
    {
        var random = new Random((10 * head) + (int)side);
        return [.. Enumerable.Range(0, Tokens * Shape.HeadDim).Select(_ => (float)((random.NextDouble() * 20) - 10))];
    }

    private static PageTable Filled(PagedKvCache cache, Func<int, KvSide, float[]> content)
    {
        PageTable table = cache.CreateTable();
        Assert.True(cache.TryReserve(table, Tokens));
        cache.Write(table, 0, new KvRows { FirstPosition = 0, RowCount = Tokens, Keys = Rows(KvSide.Keys), Values = Rows(KvSide.Values) });
        cache.Commit(table, Tokens);
        return table;

        float[] Rows(KvSide side)
        {
            float[][] heads = [content(0, side), content(1, side)];
            return [.. Enumerable.Range(0, Tokens).SelectMany(token => heads.SelectMany(head => head[(token * Shape.HeadDim)..((token + 1) * Shape.HeadDim)]))];
        }
    }

    private static void Move(PageTable table, int committed, int rung)
    {
        Squeezer.Commit(table, committed);
        Squeezer.SetRung(table, rung);
        while (table.Owner.Interior.Squeezer.Step(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }

    private static long UnguardedBytes(int rung)
    {
        using PagedKvCache cache = Cache(factor: 0);
        PageTable table = Filled(cache, Likely);
        Move(table, committed: rung, rung);
        return table.Bytes;
    }

    private static CodecId[] Codecs(PageTable table) =>
        [.. Enumerable.Range(0, table.UnitCount(0)).Select(index => (CodecId)table.Owner.Interior.Units.Entry(table.Unit(0, index)).KeyCodec)];
}
