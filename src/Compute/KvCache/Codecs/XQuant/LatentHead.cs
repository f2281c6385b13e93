namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>What the kernels need to read one side of one layer and KV head; the tables live as long as the codecs.</summary>
internal unsafe struct LatentHead
{
    /// <summary>
    /// M of the head. Keys: transposed, [headDim, Stride]; values: [Stride, headDim]. Entry Width is the bias where there is
    /// one, met by a latent that is always 1; the others beyond the stored rank are 0.
    /// </summary>
    public float* Matrix;

    /// <summary>Latents of a page: a multiple of 16.</summary>
    public int Width;

    /// <summary>Latents of a tile, the constant one among them: a multiple of 16.</summary>
    public int Stride;

    /// <summary>Latents that a product runs over: Width, and one more with a bias.</summary>
    public int Inner;

    /// <summary>Pairs of channels that RoPE turns.</summary>
    public int RotatedPairs;

    /// <summary>cis of the positions 0, 64, 128, ...: rows of cosines, then sines.</summary>
    public float* Pages;

    /// <summary>Floats of such a row.</summary>
    public int PageWidth;

    /// <summary>cos of the positions 0 to 63, [pairs, 64].</summary>
    public float* SlotCosines;

    /// <summary>sin of the positions 0 to 63, [pairs, 64].</summary>
    public float* SlotSines;
}
