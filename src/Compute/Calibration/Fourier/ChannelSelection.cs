using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

namespace Concertina.Compute.Calibration.Fourier;

/// <summary>
/// Which channels of a head are stored by their lowest orders: those that cost least. Source: https://arxiv.org/abs/2506.11886,
/// section 3.4, but per head with one count for all, because units of a rung have one size. Pure functions of samples.
/// </summary>
internal static class ChannelSelection
{
    /// <summary>The mean squared error of every channel when the orders of a basis alone are kept, over neighbouring segments.</summary>
    /// <param name="basis">Basis of a segment.</param>
    /// <param name="rows">Samples [segments * S, headDim], segment after segment, in the frame the codec stores.</param>
    /// <param name="headDim">Channels, a multiple of 8.</param>
    /// <returns>[headDim].</returns>
    /// <exception cref="ArgumentException">The rows are not whole segments, or there are none.</exception>
    public static double[] Errors(SpectralBasis basis, ReadOnlySpan<float> rows, int headDim)
    {
        int segment = basis.TokenCount * headDim;
        if (rows.IsEmpty || rows.Length % segment != 0)
        {
            throw new ArgumentException(
                $"{rows.Length} samples are not whole segments of {basis.TokenCount} tokens of {headDim} channels; sample at least one whole segment.",
                nameof(rows));
        }
        double[] errors = new double[headDim];
        float[] coefficients = new float[basis.Orders * headDim];
        float[] decoded = new float[segment];
        for (int start = 0; start < rows.Length; start += segment)
        {
            ReadOnlySpan<float> signal = rows.Slice(start, segment);
            SpectralTransform.Forward(basis, signal, headDim, coefficients);
            SpectralTransform.Inverse(basis, coefficients, 0, decoded);
            for (int i = 0; i < segment; i++)
            {
                double error = signal[i] - decoded[i];
                errors[i % headDim] += error * error;
            }
        }
        double tokens = rows.Length / headDim;
        return Array.ConvertAll(errors, error => error / tokens);
    }

    /// <summary>
    /// Errors of keys times what queries make of them: MSE_d * E[q_d^2], summed over the query heads that share the KV head.
    /// </summary>
    /// <param name="errors">[headDim].</param>
    /// <param name="queries">Samples [tokens, groupSize, headDim], in the frame of the keys.</param>
    /// <param name="groupSize">Query heads G of the KV head.</param>
    /// <returns>[headDim].</returns>
    /// <exception cref="ArgumentException">The queries are not whole tokens, or there are none.</exception>
    public static double[] KeyCosts(ReadOnlySpan<double> errors, ReadOnlySpan<float> queries, int groupSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groupSize, 1);
        int token = groupSize * errors.Length;
        if (queries.IsEmpty || queries.Length % token != 0)
        {
            throw new ArgumentException(
                $"{queries.Length} samples of queries are not whole tokens of {groupSize} heads of {errors.Length} channels.", nameof(queries));
        }
        double tokens = queries.Length / token;
        return Weighted(errors, queries, 1 / tokens);
    }

    /// <summary>Errors of values times what the output projection makes of them: MSE_d * ||W_O column d||^2.</summary>
    /// <param name="errors">[headDim].</param>
    /// <param name="outputs">The columns of W_O of all query heads that share the KV head: [rows of W_O times query heads, headDim].</param>
    /// <returns>[headDim].</returns>
    /// <exception cref="ArgumentException">The weights are not whole rows, or there are none.</exception>
    public static double[] ValueCosts(ReadOnlySpan<double> errors, ReadOnlySpan<float> outputs)
    {
        if (outputs.IsEmpty || outputs.Length % errors.Length != 0)
        {
            throw new ArgumentException($"{outputs.Length} output weights are not whole rows of {errors.Length} channels.", nameof(outputs));
        }
        return Weighted(errors, outputs, 1);
    }

    /// <summary>The channels that cost least, ascending; of equal ones the lower.</summary>
    /// <param name="costs">[headDim].</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentException">A cost is not finite, or there are fewer costs.</exception>
    public static int[] Cheapest(ReadOnlySpan<double> costs, int count)
    {
        if (count < 0 || count > costs.Length)
        {
            throw new ArgumentException($"{count} of {costs.Length} channels cannot be chosen.", nameof(count));
        }
        foreach (double cost in costs)
        {
            if (!double.IsFinite(cost))
            {
                throw new ArgumentException($"The cost of a channel is {cost}; the samples must be finite.", nameof(costs));
            }
        }
        double[] keys = costs.ToArray();
        // OrderBy is stable.
        return [.. Enumerable.Range(0, keys.Length).OrderBy(channel => keys[channel]).Take(count).Order()];
    }

    private static double[] Weighted(ReadOnlySpan<double> errors, ReadOnlySpan<float> factors, double share)
    {
        double[] energy = new double[errors.Length];
        for (int i = 0; i < factors.Length; i++)
        {
            energy[i % energy.Length] += (double)factors[i] * factors[i];
        }
        for (int channel = 0; channel < energy.Length; channel++)
        {
            energy[channel] *= share * errors[channel];
        }
        return energy;
    }
}
