using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;

namespace Concertina.Compute.Tests.Attention;

/// <summary>Sequences with seeded queries, keys and values, and what attention makes of them.</summary>
internal sealed class Sequences : IDisposable
{
    public const int Vocabulary = 16;

    private readonly Dictionary<(VectorPath, int, int), PagedAttention> _attentions = [];

    public Sequences(KvShape shape, string codec = "f16", long budgetBytes = 256L << 20, float queryScale = 1f)
    {
        Shape = shape;
        QueryScale = queryScale;
        Cache = new PagedKvCache(shape, new KvCacheOptions { BudgetBytes = budgetBytes, Codec = codec });
    }

    /// <summary>Sequences in a cache with rungs.</summary>
    public Sequences(KvShape shape, CacheParts parts, long budgetBytes = 64L << 20, float queryScale = 1f)
    {
        Shape = shape;
        QueryScale = queryScale;
        Cache = new PagedKvCache(shape, new KvCacheOptions { BudgetBytes = budgetBytes }, parts);
    }

    public KvShape Shape { get; }

    public float QueryScale { get; }

    public PagedKvCache Cache { get; }

    /// <summary>Attention of a path, a thread count and at most so many rows; made once, because its scratch is paid for good.</summary>
    public PagedAttention Attention(VectorPath path, int workerCount, int rows)
    {
        int maxRows = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)rows);
        if (!_attentions.TryGetValue((path, workerCount, maxRows), out PagedAttention? attention))
        {
            attention = new PagedAttention(Cache, maxRows, workerCount, path);
            _attentions.Add((path, workerCount, maxRows), attention);
        }
        return attention;
    }

    public int KeyWidth => Shape.KvHeadCount * Shape.HeadDim;

    public int QueryWidth => KeyWidth * Shape.GroupSize;

    /// <summary>A table with all rows written and committed.</summary>
    public PageTable Filled(Rows rows)
    {
        PageTable table = Cache.CreateTable();
        Assert.True(Cache.TryReserve(table, rows.Count));
        Write(table, rows, 0, rows.Count);
        Cache.Commit(table, rows.Count);
        return table;
    }

    public void Write(PageTable table, Rows rows, int from, int count)
    {
        for (int layer = 0; layer < Shape.LayerCount; layer++)
        {
            Cache.Write(table, layer, new KvRows
            {
                FirstPosition = from,
                RowCount = count,
                Keys = rows.Keys.AsSpan(from * KeyWidth, count * KeyWidth),
                Values = rows.Values.AsSpan(from * KeyWidth, count * KeyWidth),
                Queries = rows.Queries.AsSpan(from * QueryWidth, count * QueryWidth),
            });
        }
    }

    public Rows NewRows(int count, int seed) => new(this, count, seed);

    public void Dispose() => Cache.Dispose();

    /// <summary>Queries, keys and values of one sequence, the same for all layers.</summary>
    public sealed class Rows
    {
        public Rows(Sequences owner, int count, int seed)
        {
            Count = count;
            var random = new Random(seed);
            Queries = Draw(random, count * owner.QueryWidth, owner.QueryScale);
            Keys = Draw(random, count * owner.KeyWidth, 1f);
            Values = Draw(random, count * owner.KeyWidth, 1f);
        }

        public int Count { get; }

        public float[] Queries { get; }

        public float[] Keys { get; }

        public float[] Values { get; }

        private static float[] Draw(Random random, int count, float scale)
        {
            float[] values = new float[count];
            for (int i = 0; i < count; i++)
            {
                double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
                values[i] = (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble())) * scale;
            }
            return values;
        }
    }
}
