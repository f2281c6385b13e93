using System.Text.Json;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Scoring;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>The metric of one head: golden vectors and laws.</summary>
public sealed class HeadMetricTests
{
    private static readonly EvictionOptions Unpooled = new() { PoolKernel = 1 };

    [Fact]
    public void The_last_queries_give_the_golden_metric_and_its_ablations()
    {
        JsonElement file = EvictionVectors.Load("metric_last_queries");
        JsonElement expected = file.At("expected");
        JsonElement check = file.At("check");
        MetricRun run = MetricRun.Read(file);

        (float[] metric, float[] logSumExp) = run.Metrics(new EvictionOptions());

        metric.AssertNear(expected.At("metric"), check.At("metric"));
        logSumExp.AssertNear(expected.At("lse"), check.At("lse"));
        run.Metrics(Unpooled).Metric.AssertNear(expected.At("no_pool"), check.At("no_pool"));
        run.Metrics(new EvictionOptions { Metric = EvictionMetric.Attention }).Metric.AssertNear(expected.At("l1"), check.At("l1"));
        run.Metrics(new EvictionOptions { MinimumDistance = 2 }).Metric.AssertNear(expected.At("skip2"), check.At("skip2"));
    }

    [Fact]
    public void One_row_to_the_power_of_one_is_the_golden_attention()
    {
        JsonElement file = EvictionVectors.Load("metric_last_queries");
        MetricRun run = MetricRun.Read(file);
        List<float> rows = [];
        for (int query = 0; query < 8; query++)
        {
            MetricRun one = run with
            {
                QueryHeads = 1,
                KvHeads = 1,
                Queries = run.Queries[(query * 8)..((query + 1) * 8)],
                QueryPositions = [run.QueryPositions[query]],
                Keys = run.Keys[..(run.Slots * 8)],
            };
            rows.AddRange(one.Metrics(Unpooled with { Metric = EvictionMetric.Attention }).Metric);
        }

        rows.ToArray().AssertNear(file.At("expected", "a_head0"), file.At("check", "a_head0"));
    }

    [Fact]
    public void Slots_in_any_order_with_gaps_between_positions_give_the_golden_metric()
    {
        JsonElement file = EvictionVectors.Load("metric_query_ring_gaps");

        (float[] metric, float[] logSumExp) = MetricRun.Read(file).Metrics(new EvictionOptions());

        metric.AssertNear(file.At("expected", "metric"), file.At("check", "metric"));
        logSumExp.AssertNear(file.At("expected", "lse"), file.At("check", "lse"));
    }

    [Theory]
    [InlineData(1, 1, 16)]
    [InlineData(63, 3, 48)]
    [InlineData(64, 4, 64)]
    [InlineData(65, 5, 16)]
    [InlineData(200, 1, 128)]
    [InlineData(131, 9, 16)]
    public void All_vector_paths_give_the_same_bits_and_agree_with_double(int slots, int group, int headDim)
    {
        foreach (int observed in new[] { 1, 3, 8, 32 })
        {
            MetricRun run = MetricRun.Random(slots, slots + observed, Math.Min(observed, slots), group, headDim);
            float[] plain = run.Metrics(Unpooled with { Path = VectorPath.Scalar }).Metric;
            foreach (VectorPath path in Enum.GetValues<VectorPath>().Where(VectorPaths.IsSupported))
            {
                Assert.Equal(plain, run.Metrics(Unpooled with { Path = path }).Metric);
            }
            double[] attention = run.Attention();
            for (int slot = 0; slot < slots; slot++)
            {
                double sum = 0;
                for (int row = 0; row < attention.Length / slots; row++)
                {
                    sum += attention[(row * slots) + slot] * attention[(row * slots) + slot];
                }
                Assert.InRange(plain[slot], sum - 2e-5, sum + 2e-5);
            }
        }
    }

    [Fact]
    public void The_order_of_slots_changes_nothing_but_rounding()
    {
        MetricRun run = MetricRun.Random(150, seed: 4);
        int[] order = [.. Enumerable.Range(0, 150)];
        new Random(5).Shuffle(order);
        MetricRun shuffled = run with
        {
            Keys = [.. order.SelectMany(slot => run.Keys[(slot * 16)..((slot + 1) * 16)])],
            KeyPositions = [.. order.Select(slot => run.KeyPositions[slot])],
        };

        float[] straight = run.Metrics(new EvictionOptions()).Metric;
        float[] mixed = shuffled.Metrics(new EvictionOptions()).Metric;

        Assert.All(Enumerable.Range(0, 150), i => Assert.Equal(straight[order[i]], mixed[i], 1e-6f));
    }

    // K11.
    [Fact]
    public void Copies_of_one_query_head_give_that_many_times_its_metric()
    {
        MetricRun one = MetricRun.Random(100, seed: 1, group: 1);
        MetricRun three = one with { QueryHeads = 3, Queries = [.. one.Queries, .. one.Queries, .. one.Queries] };

        float[] single = one.Metrics(new EvictionOptions()).Metric;

        Assert.All(three.Metrics(new EvictionOptions()).Metric.Zip(single), pair => Assert.Equal(pair.First, 3 * pair.Second, 1e-5f));
    }

    // K12 with K2's correction.
    [Fact]
    public void All_metrics_add_up_to_at_most_one_per_row_before_the_pool_and_seven_after()
    {
        MetricRun run = MetricRun.Random(100, seed: 2);

        Assert.Equal(16f, run.Metrics(Unpooled with { Metric = EvictionMetric.Attention }).Metric.Sum(), 1e-3f);
        Assert.InRange(run.Metrics(Unpooled).Metric.Sum(), 0f, 16f);
        float pooled = run.Metrics(new EvictionOptions()).Metric.Sum();
        Assert.InRange(pooled, 16f, 7 * 16f);
    }

    // K13: what the ring keeps of the rows is enough.
    [Fact]
    public void Queries_from_the_ring_give_the_metric_of_the_rows_themselves()
    {
        MetricRun run = MetricRun.Random(90, seed: 6, observed: 8, group: 2);
        int width = run.QueryHeads * run.HeadDim;
        byte[] bytes = new byte[ObservationRing.BytesFor(8, width)];
        var ring = new ObservationRing(bytes, 8, width);
        ring.Clear();
        for (int query = 0; query < 8; query++)
        {
            float[] row = [.. run.Queries[(query * 16)..((query + 1) * 16)], .. run.Queries[((8 + query) * 16)..((9 + query) * 16)]];
            ring.Add(run.QueryPositions[query], row);
        }
        float[] kept = new float[run.Queries.Length];
        ring.Gather(0, run.HeadDim, kept);

        float[] recomputed = (run with { Queries = kept, QueryPositions = ring.Positions.ToArray() }).Metrics(new EvictionOptions()).Metric;

        Assert.All(run.Metrics(new EvictionOptions()).Metric.Zip(recomputed), pair => Assert.Equal(pair.First, pair.Second, 5e-3f));
    }

    [Fact]
    public void A_query_that_sees_no_key_adds_nothing()
    {
        MetricRun run = MetricRun.Random(10, seed: 3) with { QueryPositions = [-1, -1, -1, -1, -1, -1, -1, 9] };
        MetricRun last = run with
        {
            Queries = [.. run.Queries[(7 * 16)..(8 * 16)], .. run.Queries[(15 * 16)..]],
            QueryPositions = [9],
        };

        Assert.Equal(last.Metrics(Unpooled).Metric, run.Metrics(Unpooled).Metric);
    }

    [Fact]
    public void Decode_adds_squares_that_pages_wrote_before_the_sum_was_known()
    {
        JsonElement file = EvictionVectors.Load("metric_decode_update");
        JsonElement inputs = file.At("inputs");
        MetricRun run = new()
        {
            QueryHeads = 4,
            KvHeads = 2,
            HeadDim = 8,
            Queries = inputs.At("q").Floats(),
            QueryPositions = [39],
            Keys = inputs.At("k").Floats(),
            KeyPositions = [.. Enumerable.Range(0, 40)],
        };
        float[] logSumExp = run.Metrics(Unpooled).LogSumExp;
        logSumExp.AssertNear(file.At("expected", "lse"), file.At("check", "lse"));
        double[] attention = run.Attention();
        float[] running = inputs.At("m").Floats();
        float[] allSquares = new float[4 * 40];
        List<float> maxima = [];
        for (int head = 0; head < 4; head++)
        {
            for (int first = 0; first < 40; first += 16)
            {
                int count = Math.Min(16, 40 - first);
                float[] scores = [.. Enumerable.Range(first, count).Select(slot =>
                    (float)(Math.Log(attention[(head * 40) + slot]) + logSumExp[head]))];
                Span<float> squares = allSquares.AsSpan((head * 40) + first, count);
                float maximum = RunningMetric.Squares(scores, squares);
                maxima.Add(maximum);
                RunningMetric.Add(squares, maximum, logSumExp[head], running.AsSpan((head / 2 * 40) + first, count));
            }
        }

        maxima.ToArray().AssertNear(file.At("expected", "page_max"), file.At("check", "page_max"));
        allSquares.AssertNear(file.At("expected", "p_squared"), file.At("check", "p_squared"));
        running.AssertNear(file.At("expected", "after_v0"), file.At("check", "after_v0"));
    }

    // G1.
    [Fact]
    public void Squares_and_group_sums_are_those_of_the_article()
    {
        JsonElement file = EvictionVectors.Load("seed_article");
        float[] group = file.At("inputs", "group").Floats();
        float[] squares = new float[4];
        RunningMetric.Add([.. file.At("inputs", "a").Floats().Select(a => a * a)], 0f, 0f, squares);
        float[] sums = new float[2];
        RunningMetric.Add([group[0] * group[0], group[1] * group[1]], 0f, 0f, sums);
        RunningMetric.Add([group[2] * group[2], group[3] * group[3]], 0f, 0f, sums);

        squares.AssertNear(file.At("expected", "squares"), file.At("check", "squares"));
        sums.AssertNear(file.At("expected", "group_sum"), file.At("check", "group_sum"));
    }
}
