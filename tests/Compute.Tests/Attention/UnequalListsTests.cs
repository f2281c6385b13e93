using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.Model;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Tests.Attention;

/// <summary>After eviction the lists of layers and heads differ in length; one plan serves all layers.</summary>
public sealed class UnequalListsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_short_list_in_one_layer_hides_no_page_of_another(int threads)
    {
        // Given 50 pages in both layers, of which the first layer loses all but 5
        using var sequences = new Sequences(new KvShape(2, 2, 2, 16));
        Sequences.Rows rows = sequences.NewRows(50 * KvShape.PageTokens, seed: 4);
        PageTable whole = sequences.Filled(rows);
        PageTable cut = sequences.Filled(rows);
        UnitTable units = sequences.Cache.Interior.Units;
        cut.MarkEvicted(46);
        for (int head = 0; head < 2; head++)
        {
            long bytes = 0;
            for (int index = 1; index < 46; index++)
            {
                bytes += units.StrideBytes(cut.Unit(head, index));
                units.Release(cut.Unit(head, index));
            }
            cut.RemoveRange(head, 1, 45, bytes);
        }
        cut.Recount();

        // When both attend in the second layer, then nothing is missing; and the first layer sees what is left
        Assert.Equal(Attend(sequences, whole, layer: 1, threads), Attend(sequences, cut, layer: 1, threads));
        Assert.NotEqual(Attend(sequences, whole, layer: 0, threads), Attend(sequences, cut, layer: 0, threads));
        Assert.All(Attend(sequences, cut, layer: 0, threads), value => Assert.True(float.IsFinite(value)));
        sequences.Cache.CheckIntegrity();
    }

    private static float[] Attend(Sequences sequences, PageTable table, int layer, int threads)
    {
        var batch = new StepBatch(1, 0, 1);
        batch.Add(table, table.TokenCount - 1, [0], 0);
        var random = new Random(9);
        float[] queries = [.. Enumerable.Range(0, sequences.QueryWidth).Select(_ => random.NextSingle() - 0.5f)];
        float[] outputs = new float[queries.Length];
        Concertina.Compute.Attention.PagedAttention attention = sequences.Attention(VectorPaths.Best, threads, 1);
        using var pool = new WorkPool(threads);
        attention.Plan(batch);
        attention.Begin(layer, queries, outputs);
        pool.Run(attention, attention.ChunkCount);
        attention.Complete();
        return outputs;
    }
}
