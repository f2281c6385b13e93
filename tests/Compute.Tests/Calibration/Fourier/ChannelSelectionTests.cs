using Concertina.Compute.Calibration.Fourier;
using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

namespace Concertina.Compute.Tests.Calibration.Fourier;

/// <summary>Which channels are stored by their lowest orders.</summary>
public sealed class ChannelSelectionTests
{
    private const int HeadDim = 16;
    private static readonly SpectralBasis Basis = new(64, 16);

    [Fact]
    public void Errors_are_the_energy_of_the_dropped_orders()
    {
        // Channel n holds order 2 n with amplitude n + 1, whose mean square is (n + 1)^2.
        float[] rows = new float[2 * 64 * HeadDim];
        for (int i = 0; i < rows.Length; i++)
        {
            (int token, int channel) = (i / HeadDim % 64, i % HeadDim);
            rows[i] = (float)((channel + 1) * SpectralBasis.Entry(2 * channel, token, 64));
        }

        double[] errors = ChannelSelection.Errors(Basis, rows, HeadDim);

        for (int channel = 0; channel < HeadDim; channel++)
        {
            double energy = (channel + 1) * (channel + 1);
            Assert.InRange(errors[channel] - (2 * channel < 16 ? 0 : energy), -1e-5 * energy, 1e-5 * energy);
        }
    }

    [Fact]
    public void The_cheapest_channels_are_taken_in_order_and_the_lower_of_equal_ones()
    {
        Assert.Equal([1, 3, 4], ChannelSelection.Cheapest([5, 1, 2, 0, 1, 2], 3));
        Assert.Equal([1, 2, 3, 4], ChannelSelection.Cheapest([5, 1, 2, 0, 1, 2], 4));
        Assert.Equal([], ChannelSelection.Cheapest([1, 2], 0));
    }

    [Fact]
    public void Weights_turn_the_choice_from_small_channels_to_channels_that_matter_little()
    {
        double[] errors = [1, 4];
        // Two tokens of two heads: channel 0 is asked for with 2^2 + 0 and 0 + 4^2, so 10 a token; channel 1 with 1.
        float[] queries = [2, 1, 0, 0, 0, 1, 4, 0];

        double[] keys = ChannelSelection.KeyCosts(errors, queries, groupSize: 2);
        double[] values = ChannelSelection.ValueCosts(errors, [3, 0, 0, 1]);

        Assert.Equal([10, 4], keys);
        Assert.Equal([9, 4], values);
        Assert.Equal([0], ChannelSelection.Cheapest(errors, 1));
        Assert.Equal([1], ChannelSelection.Cheapest(keys, 1));
        Assert.Equal([1], ChannelSelection.Cheapest(values, 1));
    }

    [Fact]
    public void Samples_that_do_not_fit_are_refused_with_the_numbers()
    {
        Assert.Contains("whole segments", Assert.Throws<ArgumentException>(() => ChannelSelection.Errors(Basis, new float[65 * HeadDim], HeadDim)).Message);
        Assert.Contains("whole segments", Assert.Throws<ArgumentException>(() => ChannelSelection.Errors(Basis, [], HeadDim)).Message);
        Assert.Contains("3 samples", Assert.Throws<ArgumentException>(() => ChannelSelection.KeyCosts([1, 2], new float[3], 1)).Message);
        Assert.Contains("3 output weights", Assert.Throws<ArgumentException>(() => ChannelSelection.ValueCosts([1, 2], new float[3])).Message);
        Assert.Contains("3 of 2", Assert.Throws<ArgumentException>(() => ChannelSelection.Cheapest([1, 2], 3)).Message);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => ChannelSelection.Cheapest([1, double.NaN], 1)).Message);
    }
}
