using System.Text.Json;
using Concertina.Compute.Attention.Folds;
using Concertina.Compute.Tests.KvCache.Eviction;

namespace Concertina.Compute.Tests.Attention;

/// <summary>Partials merge by log-sum-exp; empty ones change nothing.</summary>
public sealed unsafe class PartialMergeTests
{
    [Fact]
    public void Partials_merge_to_the_golden_ones_without_a_nan()
    {
        JsonElement file = EvictionVectors.Load("lse_merge", "common");
        foreach (JsonElement example in file.At("expected", "cases").EnumerateArray())
        {
            AssertMerged(example.At("partials"), example.At("merged"));
        }
    }

    [Fact]
    public void Parts_of_a_split_row_merge_to_the_golden_attention_of_the_whole()
    {
        JsonElement file = EvictionVectors.Load("attention_split", "common");
        foreach ((JsonElement parts, JsonElement merged) in file.At("expected", "parts").EnumerateArray()
            .Zip(file.At("expected", "merged").EnumerateArray()))
        {
            AssertMerged(parts, merged);
        }
    }

    private static void AssertMerged(JsonElement partials, JsonElement merged)
    {
        float[] wanted = merged.At("o").Floats();
        float maximum = float.NegativeInfinity;
        float sum = 0f;
        float[] total = new float[wanted.Length];
        float[] output = new float[wanted.Length];
        fixed (float* values = total)
        {
            foreach (JsonElement partial in partials.EnumerateArray())
            {
                fixed (float* part = partial.At("y").Floats())
                {
                    PartialMerge.Add(
                        ref maximum, ref sum, values, new RowPartial(partial.At("m").Number(), partial.At("l").Number(), part, wanted.Length));
                }
            }
            PartialMerge.Normalise(sum, values, output);
        }

        Assert.Equal(merged.At("m").Number(), maximum);
        Assert.Equal(merged.At("lse").Number(), maximum + MathF.Log(sum), 1e-4f);
        float largest = wanted.Max(MathF.Abs);
        Assert.All(wanted.Zip(output), pair => Assert.InRange(pair.Second, pair.First - (largest * 1e-5f), pair.First + (largest * 1e-5f)));
    }
}
