using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;

namespace Concertina.Compute.Tests.Model;

/// <summary>Lossless means: bit by bit what a cache without any other rung gives.</summary>
public sealed class LosslessAmongRungsTests
{
    [Theory]
    [InlineData("group 4")]
    [InlineData("odd widths")]
    public void A_lossless_sequence_beside_squeezed_ones_gives_the_bits_of_a_cache_that_knows_no_other_rung(string shape)
    {
        using RandomModel model = RandomModel.Create(TinyShapes.Find(shape), TensorType.F32, seed: 5);
        using Harness plain = new(model);
        using Harness mixed = new(model, CacheParts.WithoutProfile("int8", "int4", "int2", "int4+evict2"));
        int[] tokens = [.. Enumerable.Range(0, 400).Select(i => i * 37 % model.Config.VocabularySize)];
        PageTable alone = plain.NewTable();
        PageTable lossless = mixed.NewTable();
        PageTable[] squeezed = [.. Enumerable.Range(1, 4).Select(rung =>
        {
            PageTable table = mixed.NewTable();
            Squeezer.SetRung(table, rung);
            return table;
        })];
        for (int position = 0; position < 400; position += 40)
        {
            plain.Add(alone, position, tokens.AsSpan(position, 40), 4);
            float[][] expected = plain.Run();

            // The same rows, among others that are squeezed as they grow; the lossless ones come last in the step.
            foreach (PageTable table in squeezed)
            {
                mixed.Add(table, position, tokens.AsSpan(position, 40), 0);
            }
            mixed.Add(lossless, position, tokens.AsSpan(position, 40), 4);
            float[][] found = mixed.Run();

            Assert.Equal(expected, found);
            foreach (PageTable table in squeezed)
            {
                while (mixed.Cache.StepTowardsRung(table).Outcome == SqueezeOutcome.Worked)
                {
                }
            }
        }
        Assert.All(squeezed, table => Assert.True(table.TranscodedUnits > 0 && table.ExactTokens < 400));
        Assert.Equal(400, lossless.ExactTokens);
        Assert.Equal(0, lossless.ReachedRung);
    }
}
