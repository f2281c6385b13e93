// Question: how long does attention take per cached token, for one decode row and for blocks of prefill rows?
using System.Diagnostics;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Micro;

/// <summary>Attention over 8192 cached tokens on one thread; the smallest of several runs.</summary>
internal static class AttentionBench
{
    private const int Tokens = 8192;
    private const double RunSeconds = 0.25;

    /// <summary>Writes one line per case.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine($"vector path {VectorPaths.Best}; {Tokens} tokens; one thread; minimum of repeated runs");
        output.WriteLine("headDim group rows  codec  ns/token/KV head   GB/s pages   GFLOP/s");
        foreach (int headDim in new[] { 64, 128 })
        {
            foreach (int group in new[] { 1, 2, 3, 4 })
            {
                Measure(output, new Case(headDim, group, 1, VectorPaths.Best));
            }
            Measure(output, new Case(headDim, 4, 1, VectorPath.Lanes8));
            foreach (int rows in new[] { 16, 64, 256 })
            {
                Measure(output, new Case(headDim, 4, rows, VectorPaths.Best));
                Measure(output, new Case(headDim, 1, rows, VectorPaths.Best));
            }
            Measure(output, new Case(headDim, 4, 256, VectorPath.Lanes8));
        }
    }

    private static void Measure(TextWriter output, Case test)
    {
        var shape = new KvShape(1, 1, test.Group, test.HeadDim);
        using var cache = new PagedKvCache(shape, new KvCacheOptions { BudgetBytes = 64L << 20 });
        PageTable table = Fill(cache, new Random(5));
        var batch = new StepBatch(test.Rows, 0, 1);
        batch.Add(table, Tokens - test.Rows, new int[test.Rows], 0);
        float[] queries = Draw(new Random(6), test.Rows * test.Group * test.HeadDim);
        float[] outputs = new float[queries.Length];
        var attention = new PagedAttention(cache, test.Rows, 1, test.Path);
        attention.Plan(batch);
        double best = double.MaxValue;
        for (Stopwatch total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < RunSeconds * 4;)
        {
            long start = Stopwatch.GetTimestamp();
            attention.Begin(0, queries, outputs);
            for (int chunk = 0; chunk < attention.ChunkCount; chunk++)
            {
                attention.Execute(chunk, 0);
            }
            attention.Complete();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
        double flops = 4.0 * test.Rows * test.Group * test.HeadDim * (Tokens - (test.Rows / 2.0));
        double bytes = 4.0 * test.HeadDim * Tokens;
        output.WriteLine(
            $"{test.HeadDim,7} {test.Group,5} {test.Rows,4}  f16    {best / Tokens,12:F2}   {bytes / best,12:F1} {flops / best,10:F1}  {test.Path}");
    }

    private static PageTable Fill(PagedKvCache cache, Random random)
    {
        PageTable table = cache.CreateTable();
        if (!cache.TryReserve(table, Tokens))
        {
            throw new InvalidOperationException($"The cache cannot hold {Tokens} tokens.");
        }
        cache.Write(table, 0, new KvRows
        {
            FirstPosition = 0,
            RowCount = Tokens,
            Keys = Draw(random, Tokens * cache.Shape.HeadDim),
            Values = Draw(random, Tokens * cache.Shape.HeadDim),
        });
        cache.Commit(table, Tokens);
        return table;
    }

    private static float[] Draw(Random random, int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = ((float)random.NextDouble() * 2f) - 1f;
        }
        return values;
    }

    private readonly record struct Case(int HeadDim, int Group, int Rows, VectorPath Path);
}
