using Concertina.Compute.Calibration;
using Concertina.Compute.KvCache;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Tests.Calibration;

public sealed class LadderTests
{
    [Fact]
    public void Rungs_that_keep_recall_come_by_divergence_and_behind_them_the_others_by_recall()
    {
        RungMeasure[] rungs =
        [
            Rung("f16", 4000, 0, 0.98), Rung("int4", 1250, 0.0005, 0.98), Rung("k4v2", 1000, 0.003, 0.97), Rung("worse", 1100, 0.004, 0.98),
            Rung("commvq2", 660, 0.004, 0.97), Rung("evicts", 580, 0.001, 0.55), Rung("commvq1", 413, 0.013, 0.75), Rung("evicts more", 410, 0.006, 0.4),
        ];

        KvProfile profile = ModelCalibration.WithRungs(Empty(), rungs, 100);

        Assert.Equal(["f16", "int4", "k4v2", "commvq2", "commvq1", "evicts more"], profile.Rungs.Where(rung => rung.OnLadder).Select(rung => rung.Name));
        Assert.Equal(100, profile.Calibration.MeasuredTokens);
    }

    [Fact]
    public void Where_no_questions_were_asked_divergence_alone_decides()
    {
        RungMeasure[] rungs = [Rung("f16", 4000, 0, null), Rung("int4", 1250, 0.0005, null), Rung("evicts", 580, 0.001, null)];

        Assert.All(ModelCalibration.WithRungs(Empty(), rungs, 0).Rungs, rung => Assert.True(rung.OnLadder));
    }

    private static RungMeasure Rung(string name, double bytes, double kl, double? recall) =>
        new() { Name = name, BytesPerToken2K = bytes, BytesPerToken8K = bytes, MeanKl = kl, P99Kl = kl, Recall = recall };

    private static KvProfile Empty() => new()
    {
        ModelHash = "m",
        Shape = new KvShape(1, 1, 1, 16),
        Calibration = new CalibrationFacts(1, "t", 1, 0),
        Rungs = [],
    };
}
