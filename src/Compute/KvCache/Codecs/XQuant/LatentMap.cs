namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// One side of one layer between head channels and latents: from the thin singular value decomposition W = U S B^T of the
/// projection W [hidden, KV heads * headDim], M = S B^T. A row y of W's outputs (a key before RoPE without its bias, or a value)
/// has the latents x = y B S^-1 = y M^T S^-2, and x M = y. Source: https://arxiv.org/abs/2508.10395, section 3.3.1. Immutable.
/// </summary>
internal sealed class LatentMap
{
    /// <summary>
    /// Share of the largest singular value below which a latent is not stored: recovered from 16-bit rows it is noise, and
    /// what it adds to a row is as small as its singular value.
    /// </summary>
    public const double WeakShare = 1e-3;

    /// <param name="sigma">[rank] singular values, descending and positive.</param>
    /// <param name="matrix">M, [rank, KV heads * headDim], row-major.</param>
    /// <param name="bias">[KV heads * headDim] bias of the projection, or empty for none.</param>
    /// <exception cref="ArgumentException">Sizes do not fit, or a number is not finite or not in order.</exception>
    public LatentMap(ReadOnlyMemory<float> sigma, ReadOnlyMemory<float> matrix, ReadOnlyMemory<float> bias = default)
    {
        if (sigma.IsEmpty || matrix.IsEmpty || matrix.Length % sigma.Length != 0)
        {
            throw new ArgumentException($"A latent map has {sigma.Length} singular values and a matrix of {matrix.Length} numbers; rows of equal length are needed.");
        }
        (Sigma, Matrix, Bias, Channels) = (sigma, matrix, bias, matrix.Length / sigma.Length);
        if (sigma.Length > Channels || (!bias.IsEmpty && bias.Length != Channels))
        {
            throw new ArgumentException($"A latent map of rank {sigma.Length} over {Channels} channels has a bias of {bias.Length}; the rank is at most the channels, the bias has as many or none.");
        }
        RequireDescending(sigma.Span);
        RequireFinite(matrix.Span, "matrix");
        RequireFinite(bias.Span, "bias");
        StoredRank = 0;
        while (StoredRank < sigma.Length && sigma.Span[StoredRank] >= WeakShare * sigma.Span[0])
        {
            StoredRank++;
        }
    }

    /// <summary>[Rank], descending.</summary>
    public ReadOnlyMemory<float> Sigma { get; }

    /// <summary>M, [Rank, Channels].</summary>
    public ReadOnlyMemory<float> Matrix { get; }

    /// <summary>[Channels] or empty.</summary>
    public ReadOnlyMemory<float> Bias { get; }

    /// <summary>KV heads * headDim, head by head.</summary>
    public int Channels { get; }

    public int Rank => Sigma.Length;

    /// <summary>Latents that are stored: the first so many, those of at least <see cref="WeakShare"/>.</summary>
    public int StoredRank { get; }

    /// <summary>Bytes of its numbers.</summary>
    public long Bytes => sizeof(float) * ((long)Sigma.Length + Matrix.Length + Bias.Length);

    /// <summary>M of one stored latent, [Channels].</summary>
    public ReadOnlySpan<float> Row(int latent) => Matrix.Span.Slice(latent * Channels, Channels);

    private static void RequireDescending(ReadOnlySpan<float> sigma)
    {
        for (int i = 0; i < sigma.Length; i++)
        {
            if (!(sigma[i] > 0) || !float.IsFinite(sigma[i]) || (i > 0 && sigma[i] > sigma[i - 1]))
            {
                throw new ArgumentException($"Singular value {i} is {sigma[i]}; positive numbers in descending order are needed.");
            }
        }
    }

    private static void RequireFinite(ReadOnlySpan<float> numbers, string name)
    {
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!float.IsFinite(numbers[i]))
            {
                throw new ArgumentException($"Number {i} of the {name} of a latent map is {numbers[i]}.");
            }
        }
    }
}
