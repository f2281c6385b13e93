using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

/// <summary>A model over a cache that evicts while it runs.</summary>
public sealed class EvictedForwardTests
{
    [Theory]
    [InlineData("group 4", "f16+evict2")]
    [InlineData("group 3", "int8+evict4")]
    [InlineData("odd widths", "int4+evict3")]
    public void The_runner_offers_queries_and_rows_over_gapped_pages_keep_the_row_law(string shape, string rung)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.F32, seed: 3);
        using Harness harness = new(model, CacheParts.WithoutProfile(rung));
        int[] tokens = [.. Enumerable.Range(0, 720).Select(i => i * 31 % model.Config.VocabularySize)];
        PageTable table = harness.NewTable();
        Squeezer.SetRung(table, 1);
        for (int position = 0; position < 700; position += 100)
        {
            harness.Add(table, position, tokens.AsSpan(position, 100), 1);
            harness.Run();
            Settle(harness.Cache, table);
        }
        Assert.True(table.EvictedColumns > 5);
        Assert.True(table.Eviction.Slots > 0);
        Assert.True(harness.Cache.TryFork(table, out PageTable fork));

        harness.Add(table, 700, tokens.AsSpan(700, 20), 20);
        float[][] together = harness.Run();
        List<float[]> single = [];
        for (int position = 700; position < 720; position++)
        {
            harness.Add(fork, position, tokens.AsSpan(position, 1), 1);
            single.AddRange(harness.Run());
        }

        Assert.Equal(together, single);
        Assert.All(together, logits => Assert.All(logits, logit => Assert.True(float.IsFinite(logit))));
        harness.Cache.CheckIntegrity();
    }

    private static void Settle(PagedKvCache cache, PageTable table)
    {
        while (cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
        {
        }
    }
}
