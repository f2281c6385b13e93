namespace Concertina.Compute.Calibration.XQuant;

/// <summary>
/// The input of a layer's projections from what they gave: X = [K | V] pinv([Wk | Wv]), K before RoPE. Possible where the
/// projections together have at least as many channels as X and do not lose any: 2 dk &gt;= d, condition at most 1000.
/// </summary>
internal sealed class InputRecovery
{
    /// <summary>Largest condition of [Wk | Wv] that is taken: 16-bit keys and values are off by 2^-11.</summary>
    public const double MostCondition = 1e3;

    private readonly double[] _inverse;
    private readonly int _hidden;
    private readonly int _outputs;

    private InputRecovery(ThinSvd svd, int hidden, int outputs)
    {
        (_hidden, _outputs, Condition) = (hidden, outputs, svd.AllSigma[0] / svd.AllSigma[hidden - 1]);
        _inverse = new double[outputs * hidden];
        for (int i = 0; i < _inverse.Length; i++)
        {
            for (int latent = 0; latent < hidden; latent++)
            {
                _inverse[i] += svd.Right[latent][i / hidden] / svd.AllSigma[latent] * svd.Left[latent][i % hidden];
            }
        }
    }

    /// <summary>Largest singular value of [Wk | Wv] over the least.</summary>
    public double Condition { get; }

    /// <summary>Makes it.</summary>
    /// <param name="keys">Wk, [hidden, channels], row-major.</param>
    /// <param name="values">Wv, likewise.</param>
    /// <param name="channels">KV heads * headDim.</param>
    /// <exception cref="ArgumentException">X cannot be had from its projections; the message has the numbers.</exception>
    public static InputRecovery Of(ReadOnlySpan<double> keys, ReadOnlySpan<double> values, int channels)
    {
        int hidden = keys.Length / channels;
        if (2 * channels < hidden)
        {
            throw new ArgumentException($"X has {hidden} channels, K and V together {2 * channels}: X cannot be had from them. Capture the layer inputs.", nameof(channels));
        }
        var svd = ThinSvd.Of(ProjectionWeights.SideBySide(keys, values, channels), 2 * channels);
        double least = svd.AllSigma[hidden - 1];
        return svd.Rank >= hidden && svd.AllSigma[0] <= MostCondition * least
            ? new InputRecovery(svd, hidden, 2 * channels)
            : throw new ArgumentException(
                $"[Wk | Wv] has a condition of {svd.AllSigma[0] / least:G3}; above {MostCondition:G3} X is noise. Capture the layer inputs.", nameof(keys));
    }

    /// <summary>X of one token.</summary>
    /// <param name="outputs">K before RoPE without bias, then V without bias, [2 channels].</param>
    /// <param name="input">Receives X, [hidden].</param>
    public void Recover(ReadOnlySpan<float> outputs, Span<float> input)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _outputs);
        for (int column = 0; column < _hidden; column++)
        {
            double sum = 0;
            for (int row = 0; row < _outputs; row++)
            {
                sum += outputs[row] * _inverse[(row * _hidden) + column];
            }
            input[column] = (float)sum;
        }
    }
}
