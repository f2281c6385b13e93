using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Threading;

namespace Concertina.Compute.Tests.KvCache.Eviction;

/// <summary>
/// Between two pieces of eviction a stream attends to what is there: pages with gaps and partly filled ones in the middle of
/// a list. Attention is that over the decoded slots, whatever the form, and a deeper rung takes such pages as they are.
/// </summary>
public sealed class AttendBetweenPiecesTests
{
    private const int Tokens = 4000;

    [Theory]
    [InlineData("f16+evict4")]
    [InlineData("int8+evict4")]
    [InlineData("int4+evict4")]
    [InlineData("k4v2+evict4")]
    public void Attention_after_any_piece_is_attention_over_the_decoded_slots(string rung)
    {
        using var rig = new EvictionRig(rung);
        PageTable table = rig.Filled(rig.Rows(Tokens, seed: 31), Tokens);
        rig.Sweep(table);
        int inside = 0;
        EvictionStep step;
        do
        {
            step = rig.Cache.Interior.Evictor.Step(table);
            inside += PartlyFilled(rig, table);
            AssertAttends(rig, table);
        }
        while (step.Outcome == EvictionOutcome.Worked);

        Assert.True(table.EvictedColumns > 0);
        Assert.True(inside > 0, "no partly filled page lay between others");
    }

    [Fact]
    public void A_half_compacted_head_moves_to_a_deeper_rung_that_evicts()
    {
        using var rig = new EvictionRig("int8+evict2", rungs: ["int4+evict2"]);
        PageTable table = rig.Filled(rig.Rows(Tokens, seed: 32), Tokens);
        rig.Sweep(table);
        while (PartlyFilled(rig, table) == 0)
        {
            Assert.Equal(EvictionOutcome.Worked, rig.Cache.Interior.Evictor.Step(table).Outcome);
        }
        int[][] positions = [.. Enumerable.Range(0, rig.HeadCount).Select(head => rig.Positions(table, head))];
        long bytes = table.Bytes;

        Squeezer.SetRung(table, 2);
        rig.Sweep(table);

        Assert.All(Enumerable.Range(0, rig.HeadCount), head => Assert.Equal(positions[head], rig.Positions(table, head)));
        Assert.True(table.Bytes < bytes);
        AssertAttends(rig, table);
        rig.Evict(table);
        AssertAttends(rig, table);
        rig.Cache.CheckIntegrity();
        Assert.InRange(
            Enumerable.Range(0, rig.HeadCount).Sum(head => table.IndexOf(head, table.EvictedColumns) - 1),
            1,
            Evictor.KeptUnits(table.EvictedColumns, rig.HeadCount, 2) + rig.HeadCount - 1);
    }

    // Pages behind the sinks and before the last column, so that others follow, which hold fewer slots than they could.
    private static int PartlyFilled(EvictionRig rig, PageTable table) => Enumerable.Range(0, rig.HeadCount).Sum(head =>
        Enumerable.Range(1, table.UnitCount(head) - 2).Count(index =>
            rig.Slots().Count(table, table.Unit(head, index)) < KvShape.PageTokens));

    private static void AssertAttends(EvictionRig rig, PageTable table)
    {
        var random = new Random(33);
        float[] queries = [.. Enumerable.Range(0, rig.Sequences.QueryWidth).Select(_ => (random.NextSingle() - 0.5f) * 3)];
        int dim = rig.Cache.Shape.HeadDim;
        for (int layer = 0; layer < rig.Cache.Shape.LayerCount; layer++)
        {
            float[] found = Attend(rig, table, layer, queries);
            for (int queryHead = 0; queryHead < queries.Length / dim; queryHead++)
            {
                int head = (layer * rig.Cache.Shape.KvHeadCount) + (queryHead / rig.Cache.Shape.GroupSize);
                float[] expected = OverDecoded(rig, table, head, queries.AsSpan(queryHead * dim, dim));
                for (int c = 0; c < dim; c++)
                {
                    Assert.Equal(expected[c], found[(queryHead * dim) + c], tolerance: 2e-3f);
                }
            }
        }
    }

    private static float[] Attend(EvictionRig rig, PageTable table, int layer, float[] queries)
    {
        var batch = new StepBatch(1, 0, 1);
        batch.Add(table, table.TokenCount - 1, [0], 0);
        float[] outputs = new float[queries.Length];
        PagedAttention attention = rig.Sequences.Attention(VectorPaths.Best, 1, 1);
        using var pool = new WorkPool(1);
        attention.Plan(batch);
        attention.Begin(layer, queries, outputs);
        pool.Run(attention, attention.ChunkCount);
        attention.Complete();
        return outputs;
    }

    private static float[] OverDecoded(EvictionRig rig, PageTable table, int head, ReadOnlySpan<float> query)
    {
        int dim = query.Length;
        float[] keys = new float[KvShape.PageTokens * dim];
        float[] values = new float[keys.Length];
        double[] sum = new double[dim];
        double weights = 0;
        for (int index = 0; index < table.UnitCount(head); index++)
        {
            int count = rig.Slots().Count(table, table.Unit(head, index));
            rig.Cache.Pages.Decode(table, head, index, keys.AsSpan(0, count * dim), values.AsSpan(0, count * dim));
            for (int slot = 0; slot < count; slot++)
            {
                double score = 0;
                for (int c = 0; c < dim; c++)
                {
                    score += (double)query[c] * keys[(slot * dim) + c];
                }
                double weight = Math.Exp(score / Math.Sqrt(dim));
                weights += weight;
                for (int c = 0; c < dim; c++)
                {
                    sum[c] += weight * values[(slot * dim) + c];
                }
            }
        }
        return [.. sum.Select(value => (float)(value / weights))];
    }
}
