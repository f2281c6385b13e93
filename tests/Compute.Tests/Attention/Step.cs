using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Tests.Attention;

/// <summary>Runs attention over some spans in one step and returns the outputs, [rows, queryHeads * headDim].</summary>
internal sealed class Step(Sequences sequences, VectorPath? path = null, int workerCount = 1)
{
    private readonly List<(PageTable Table, Sequences.Rows Rows, int From, int Count)> _spans = [];

    public Step Add(PageTable table, Sequences.Rows rows, int from, int count)
    {
        _spans.Add((table, rows, from, count));
        return this;
    }

    /// <param name="chunkOrder">Order in which chunks run; null: ascending.</param>
    /// <param name="layer">Layer whose pages are read.</param>
    public float[] Run(Random? chunkOrder = null, int layer = 0)
    {
        int rowCount = _spans.Sum(span => span.Count);
        var batch = new StepBatch(rowCount, 0, Sequences.Vocabulary);
        float[] queries = new float[rowCount * sequences.QueryWidth];
        int row = 0;
        foreach ((PageTable table, Sequences.Rows rows, int from, int count) in _spans)
        {
            batch.Add(table, from, new int[count], 0);
            rows.Queries.AsSpan(from * sequences.QueryWidth, count * sequences.QueryWidth)
                .CopyTo(queries.AsSpan(row * sequences.QueryWidth));
            row += count;
        }
        PagedAttention attention = sequences.Attention(path ?? VectorPaths.Best, workerCount, rowCount);
        float[] outputs = new float[queries.Length];
        Array.Fill(outputs, float.NaN);
        attention.Plan(batch);
        attention.Begin(layer, queries, outputs);
        int[] order = [.. Enumerable.Range(0, attention.ChunkCount)];
        chunkOrder?.Shuffle(order);
        foreach (int chunk in order)
        {
            attention.Execute(chunk, chunk % workerCount);
        }
        attention.Complete();
        return outputs;
    }
}
