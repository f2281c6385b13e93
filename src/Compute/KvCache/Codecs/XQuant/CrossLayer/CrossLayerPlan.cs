namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>
/// What a column of XQuant-CL holds, layer by layer. Up to the base layer X itself (MHA), or its latents X Ukv below the base and
/// X itself at the base (GQA), at the base's bits; above, the difference to the accumulator, at fewer. Source:
/// https://arxiv.org/abs/2508.10395, sections 3.2, 3.3.2 and 4.3; the base at full width is ours.
/// </summary>
/// <param name="LayerCount">Layers, more than the base layer.</param>
/// <param name="Hidden">Channels d of X.</param>
/// <param name="Latents">2 dk of GQA, below d; or 0 for MHA, whose differences have d channels.</param>
/// <param name="Bits">Bits of a difference.</param>
internal readonly record struct CrossLayerPlan(int LayerCount, int Hidden, int Latents, int Bits)
{
    /// <summary>The third layer: the deeper the base, the closer the layers above stay to it.</summary>
    public const int BaseLayer = 2;

    /// <summary>Bits up to the base layer.</summary>
    public const int BaseBits = 4;

    /// <summary>True for GQA.</summary>
    public bool HasLatents => Latents > 0;

    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    public void Validate()
    {
        if (LayerCount <= BaseLayer || Hidden < 1 || Latents < 0 || Bits is not (2 or 3 or 4 or 8))
        {
            throw new ArgumentException($"{this}: more than {BaseLayer} layers and 2, 3, 4 or 8 bits are needed.");
        }
        if (HasLatents && (Latents >= Hidden || Latents % 16 != 0 || Hidden % 16 != 0))
        {
            throw new ArgumentException($"{this}: latents are fewer than the {Hidden} channels of X, both multiples of 16; else store X itself (0 latents).");
        }
    }

    /// <summary>Rows of a layer.</summary>
    public TokenRows Rows(int layer) => new(
        HasLatents && layer != BaseLayer ? Latents : Hidden,
        layer <= BaseLayer ? BaseBits : Bits);

    /// <summary>Exact bytes of a column of so many tokens.</summary>
    public int Bytes(int tokens) => Offset(LayerCount, tokens);

    /// <summary>Where the part of a layer starts in a column of so many tokens.</summary>
    public int Offset(int layer, int tokens)
    {
        int offset = 0;
        for (int below = 0; below < layer; below++)
        {
            offset += Rows(below).Bytes(tokens);
        }
        return offset;
    }
}
