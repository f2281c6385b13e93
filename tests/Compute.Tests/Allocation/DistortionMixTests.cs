using Concertina.Compute.Allocation;

namespace Concertina.Compute.Tests.Allocation;

public sealed class DistortionMixTests
{
    private static readonly MixedRung[] Rungs = [new(0, false), new(0.001, false), new(0.01, false)];

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_sequence_all_on_one_rung_has_its_distortion_and_a_mixture_lies_between(double power)
    {
        var mix = new DistortionMix(power, 0, 1);

        Assert.Equal(0, mix.Predict([1, 0, 0], Rungs));
        Assert.Equal(0.001, mix.Predict([0, 1, 0], Rungs), 12);
        Assert.Equal(0.01, mix.Predict([0, 0, 1], Rungs), 12);
        double before = 0.001;
        for (double share = 0.1; share < 1; share += 0.1)
        {
            double mixed = mix.Predict([0, 1 - share, share], Rungs);
            Assert.InRange(mixed, before, 0.01); // more of the deeper rung never predicts less
            before = mixed;
        }
    }

    [Fact]
    public void A_fit_finds_the_rule_that_made_the_samples()
    {
        var rule = new DistortionMix(1.5, 0.5, 1.2);
        var random = new Random(1);
        (double[][] Shares, double Measured)[] samples = [.. Enumerable.Range(0, 30).Select(_ =>
        {
            double[][] shares = [.. DistortionMix.Decays.Select(_ => Shares(random))];
            double measured = rule.Predict(shares[DistortionMix.Decays.ToList().IndexOf(rule.Decay)], Rungs);
            return (shares, measured * (1 + (0.02 * (random.NextDouble() - 0.5))));
        })];

        DistortionMix fit = DistortionMix.Fit(samples, Rungs);

        Assert.Equal(rule.Decay, fit.Decay);
        Assert.Equal(rule.Power, fit.Power, 1);
        Assert.Equal(rule.Scale, fit.Scale, 1);
    }

    [Fact]
    public void What_was_evicted_adds_to_what_was_rounded_whatever_the_power()
    {
        MixedRung[] rungs = [default, new(0.001, false), new(0.02, true)];
        Assert.Equal(2 * ((0.5 * 0.02) + (0.001 * Math.Sqrt(0.5))), new DistortionMix(2, 1, 2).Predict([0, 0.5, 0.5], rungs), 12);
    }

    [Fact]
    public void A_fit_passes_over_samples_that_measured_less_than_it_is_judged_by()
    {
        double[][] Alone(int rung) => [.. DistortionMix.Decays.Select(_ => Enumerable.Range(0, 3).Select(i => i == rung ? 1.0 : 0).ToArray())];
        DistortionMix fit = DistortionMix.Fit([(Alone(1), 0.005), (Alone(2), 0.012)], Rungs, leastMeasured: 0.01);
        Assert.Equal(1.2, fit.Scale, 9);
    }

    [Fact]
    public void Without_a_distortion_nothing_is_fitted()
    {
        double[][] lossless = [.. DistortionMix.Decays.Select(_ => new double[] { 1, 0, 0 })];
        Assert.Throws<ArgumentException>(() => DistortionMix.Fit([(lossless, 0)], Rungs));
    }

    private static double[] Shares(Random random)
    {
        double[] parts = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
        return [.. parts.Select(part => part / parts.Sum())];
    }
}
