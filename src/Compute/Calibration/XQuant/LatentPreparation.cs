using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.Model;

namespace Concertina.Compute.Calibration.XQuant;

/// <summary>Makes XQuant's latent maps from a model's weights. Needs no text. Source: https://arxiv.org/abs/2508.10395, section 3.3.1.</summary>
internal static class LatentPreparation
{
    /// <summary>Largest max|U M - W| relative to max|W| that is accepted.</summary>
    public const double Acceptance = 1e-3;

    /// <summary>The maps of all layers.</summary>
    /// <param name="source">The model.</param>
    /// <param name="cancellation">Cancels between layers.</param>
    /// <exception cref="InvalidDataException">A decomposition does not reproduce its matrix, or a weight is not finite.</exception>
    public static IReadOnlyList<LayerLatents> Maps(ModelSource source, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        int channels = source.Config.KvHeadCount * source.Config.HeadDim;
        List<LayerLatents> layers = [];
        for (int layer = 0; layer < source.Config.LayerCount; layer++)
        {
            cancellation.ThrowIfCancellationRequested();
            layers.Add(new LayerLatents(
                Map(ProjectionWeights.Keys(source, layer), channels, $"keys of layer {layer}"),
                Map(ProjectionWeights.Values(source, layer), channels, $"values of layer {layer}")));
        }
        return layers;
    }

    /// <summary>The map of one projection.</summary>
    /// <param name="weights">W, [hidden, channels], row-major.</param>
    /// <param name="channels">KV heads * headDim.</param>
    /// <param name="name">What it is, for the message.</param>
    /// <param name="bias">[channels] or empty. It takes no part in the decomposition.</param>
    /// <exception cref="InvalidDataException">The decomposition does not reproduce the matrix.</exception>
    public static LatentMap Map(ReadOnlySpan<double> weights, int channels, string name, ReadOnlyMemory<float> bias = default)
    {
        var svd = ThinSvd.Of(weights, channels);
        float[] sigma = [.. svd.AllSigma.Take(svd.Rank).Select(value => (float)value)];
        float[] mixing = [.. svd.Mixing().Select(entry => (float)entry)];
        double error = RelativeError(weights, svd, mixing);
        return error <= Acceptance
            ? new LatentMap(sigma, mixing, bias)
            : throw new InvalidDataException(
                $"The decomposition of the {name} misses its matrix by {error:G3} of the largest weight; at most {Acceptance} is taken. The weights cannot be used for xq rungs.");
    }

    /// <summary>max|U M - W| / max|W|, with M as it is stored.</summary>
    internal static double RelativeError(ReadOnlySpan<double> weights, ThinSvd svd, ReadOnlySpan<float> mixing)
    {
        int columns = svd.Right[0].Length;
        double worst = 0;
        double largest = 0;
        double[] row = new double[columns];
        for (int at = 0; at < weights.Length; at += columns)
        {
            Array.Clear(row);
            for (int latent = 0; latent < svd.Rank; latent++)
            {
                double factor = svd.Left[latent][at / columns];
                for (int column = 0; column < columns; column++)
                {
                    row[column] += factor * mixing[(latent * columns) + column];
                }
            }
            for (int column = 0; column < columns; column++)
            {
                worst = Math.Max(worst, Math.Abs(row[column] - weights[at + column]));
                largest = Math.Max(largest, Math.Abs(weights[at + column]));
            }
        }
        return worst / largest;
    }
}
