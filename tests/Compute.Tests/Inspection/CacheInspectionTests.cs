using Concertina.Compute.Inspection;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Tests.Inspection;

public sealed class CacheInspectionTests
{
    private static readonly KvShape Shape = new(30, 3, 3, 64);

    [Fact]
    public void Without_a_profile_the_rungs_that_need_none_are_shown_lossless_first()
    {
        CacheInspection seen = Inspect(null, 2048);
        Assert.Equal(RungCatalog.WithoutProfile.Select(rung => rung.Name), seen.Rungs.Select(rung => rung.Facts.Name));
        Assert.All(seen.Rungs, rung => Assert.True(rung.OnLadder));
        Assert.Equal(1, seen.Rungs[0].Lengths[0].Ratio);
    }

    [Fact]
    public void Lossless_bytes_are_two_bytes_a_channel_of_keys_and_values() =>
        Assert.Equal(2L * sizeof(ushort) * Shape.HeadCount * Shape.HeadDim, Inspect(null, 64).LosslessBytesPerToken);

    [Fact]
    public void Bytes_are_those_that_a_cache_says_a_sequence_settles_at()
    {
        CacheInspection seen = Inspect(null, 2048, 8192);
        using var cache = new PagedKvCache(
            Shape, new KvCacheOptions { BudgetBytes = CacheInspection.BudgetBytes }, CacheParts.WithoutProfile(RungCatalog.WithoutProfile.Select(rung => rung.Name)));
        for (int rung = 0; rung < cache.Rungs.Count; rung++)
        {
            foreach (LengthFacts length in seen.Rungs[rung].Lengths)
            {
                Assert.Equal(cache.SettledBytes(length.Tokens, rung), length.BytesPerToken * length.Tokens, tolerance: 0.01);
                Assert.Equal((double)cache.SettledBytes(length.Tokens, 0) / cache.SettledBytes(length.Tokens, rung), length.Ratio, tolerance: 1e-9);
                Assert.InRange(length.SessionsPerGib * length.BytesPerToken * length.Tokens, 0.9 * cache.BudgetBytes, cache.BudgetBytes);
            }
        }
    }

    [Fact]
    public void With_a_profile_its_rungs_are_shown_with_what_was_measured_and_whether_they_are_on_the_ladder()
    {
        CacheInspection seen = Inspect(Profile(), 2048);
        Assert.Equal(["f16", "int4", "int2"], seen.Rungs.Select(rung => rung.Facts.Name));
        Assert.Equal([true, true, false], seen.Rungs.Select(rung => rung.OnLadder));
        Assert.Equal([0, 0.25, 0.5], seen.Rungs.Select(rung => rung.Facts.MeanKl!.Value));
        Assert.Equal([null, 0.75, null], seen.Rungs.Select(rung => rung.Facts.Recall));
    }

    [Fact]
    public void Weight_formats_add_up_to_the_parameters()
    {
        using ModelSource source = Source();
        IReadOnlyList<WeightFacts> formats = WeightFacts.Of(source);
        Assert.Equal(source.ParameterCount, formats.Sum(format => format.ElementCount));
        Assert.Equal(["Q8_0", "F32"], formats.Select(format => format.Format));
        Assert.Equal(34 * formats[0].ElementCount / 32, formats[0].Bytes);
        Assert.Equal(4 * formats[1].ElementCount, formats[1].Bytes);
    }

    private static CacheInspection Inspect(KvProfile? profile, params int[] lengths)
    {
        using ModelSource source = Source();
        return CacheInspection.Of(source, profile, lengths);
    }

    private static RandomModel Source() => RandomModel.Create("135m", TensorType.Q80, 1);

    private static KvProfile Profile() => new()
    {
        ModelHash = "none",
        Shape = Shape,
        Calibration = new CalibrationFacts(1, "text", 1, 1),
        Rungs =
        [
            new RungMeasure { Name = "f16", OnLadder = true },
            new RungMeasure { Name = "int4", OnLadder = true, MeanKl = 0.25, Recall = 0.75 },
            new RungMeasure { Name = "int2", MeanKl = 0.5 },
            new RungMeasure { Name = "commvq2", MeanKl = 0.125 },
        ],
    };
}
