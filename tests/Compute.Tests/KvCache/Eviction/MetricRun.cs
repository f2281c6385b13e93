using System.Runtime.CompilerServices;
using System.Text.Json;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Eviction.Scoring;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>Queries and keys of one layer, and the metric of its heads.</summary>
internal sealed unsafe record MetricRun
{
    private const int PoolPiece = 37;

    public required int QueryHeads { get; init; }

    public required int KvHeads { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>[queryHeads, observed, headDim].</summary>
    public required float[] Queries { get; init; }

    public required int[] QueryPositions { get; init; }

    /// <summary>[kvHeads, slots, headDim].</summary>
    public required float[] Keys { get; init; }

    public required int[] KeyPositions { get; init; }

    public int Group => QueryHeads / KvHeads;

    public int Slots => KeyPositions.Length;

    public static MetricRun Read(JsonElement file)
    {
        JsonElement inputs = file.At("inputs");
        return new MetricRun
        {
            QueryHeads = file.At("params", "nq").GetInt32(),
            KvHeads = file.At("params", "nk").GetInt32(),
            HeadDim = file.At("params", "hd").GetInt32(),
            Queries = inputs.At("q").Floats(),
            QueryPositions = inputs.At("q_pos").Integers(),
            Keys = inputs.At("k").Floats(),
            KeyPositions = inputs.At("k_pos").Integers(),
        };
    }

    public static MetricRun Random(int slots, int seed, int observed = 8, int group = 2, int headDim = 16)
    {
        var random = new Random(seed);
        float[] Draw(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => ((float)random.NextDouble() - 0.5f) * scale)];
        return new MetricRun
        {
            QueryHeads = group,
            KvHeads = 1,
            HeadDim = headDim,
            Queries = Draw(group * observed * headDim, 8f),
            QueryPositions = [.. Enumerable.Range(slots - observed, observed)],
            Keys = Draw(slots * headDim, 4f),
            KeyPositions = [.. Enumerable.Range(0, slots)],
        };
    }

    /// <summary>[kvHeads, slots], and the log-sum-exp of every row, [queryHeads, observed].</summary>
    public (float[] Metric, float[] LogSumExp) Metrics(EvictionOptions options)
    {
        // The engine's pages hold ascending positions; vectors may not.
        int[] order = [.. Enumerable.Range(0, Slots).OrderBy(slot => KeyPositions[slot])];
        (float[] ordered, float[] logSumExp) = InOrder(order).OrderedMetrics(options);
        float[] metric = new float[ordered.Length];
        for (int i = 0; i < metric.Length; i++)
        {
            metric[(i / Slots * Slots) + order[i % Slots]] = ordered[i];
        }
        return (metric, logSumExp);
    }

    private MetricRun InOrder(int[] order) => this with
    {
        KeyPositions = [.. order.Select(slot => KeyPositions[slot])],
        Keys =
        [
            .. Enumerable.Range(0, KvHeads).SelectMany(head => order.SelectMany(slot =>
                Keys[(((head * Slots) + slot) * HeadDim)..(((head * Slots) + slot + 1) * HeadDim)])),
        ],
    };

    private (float[] Metric, float[] LogSumExp) OrderedMetrics(EvictionOptions options)
    {
        options = options with { QueryCount = QueryPositions.Length };
        using var metric = new HeadMetric(Group, HeadDim, options);
        float[] all = new float[KvHeads * Slots];
        float[] logSumExp = new float[QueryHeads * QueryPositions.Length];
        int rows = Group * QueryPositions.Length;
        float[] sums = GC.AllocateArray<float>(Group * Slots, pinned: true);
        for (int head = 0; head < KvHeads; head++)
        {
            metric.Begin(Queries.AsSpan(head * rows * HeadDim, rows * HeadDim), QueryPositions, (float*)Unsafe.AsPointer(ref sums[0]), Slots);
            for (int pass = 0; pass < 2; pass++)
            {
                for (int first = 0; first < Slots; first += KvShape.PageTokens)
                {
                    int count = Math.Min(KvShape.PageTokens, Slots - first);
                    Keys.AsSpan(((head * Slots) + first) * HeadDim, count * HeadDim).CopyTo(metric.Keys);
                    ReadOnlySpan<int> positions = KeyPositions.AsSpan(first, count);
                    if (pass == 0)
                    {
                        metric.Observe(positions);
                    }
                    else
                    {
                        metric.Score(positions);
                    }
                }
            }
            for (int first = 0; first < Slots; first += PoolPiece)
            {
                metric.Pool(KeyPositions, first, all.AsSpan((head * Slots) + first, Math.Min(PoolPiece, Slots - first)));
            }
            for (int row = 0; row < rows; row++)
            {
                logSumExp[(head * rows) + row] = metric.LogSumExp(row);
            }
        }
        return (all, logSumExp);
    }

    /// <summary>The definition, in double: attention of every row to every key, [queryHeads, observed, slots].</summary>
    public double[] Attention()
    {
        int observed = QueryPositions.Length;
        double[] attention = new double[QueryHeads * observed * Slots];
        for (int row = 0; row < QueryHeads * observed; row++)
        {
            int head = row / observed / Group;
            double[] weights = new double[Slots];
            for (int slot = 0; slot < Slots; slot++)
            {
                double score = 0;
                for (int c = 0; c < HeadDim; c++)
                {
                    score += (double)Queries[(row * HeadDim) + c] * Keys[(((head * Slots) + slot) * HeadDim) + c];
                }
                weights[slot] = KeyPositions[slot] <= QueryPositions[row % observed] ? Math.Exp(score / Math.Sqrt(HeadDim)) : 0;
            }
            for (int slot = 0; slot < Slots; slot++)
            {
                attention[(row * Slots) + slot] = weights[slot] / weights.Sum();
            }
        }
        return attention;
    }
}
