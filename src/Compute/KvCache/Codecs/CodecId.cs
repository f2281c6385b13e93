namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Numbers written into units. Never reused, never renumbered.</summary>
internal enum CodecId : byte
{
    /// <summary>No codec: the side holds nothing.</summary>
    None = 0,

    /// <summary>32-bit floats: the definition.</summary>
    F32 = 1,

    /// <summary>IEEE 754 binary16: the open page and the lossless rung.</summary>
    F16 = 2,

    /// <summary>8-bit codes per token.</summary>
    Int8 = 3,

    /// <summary>4-bit codes per token, rotated keys.</summary>
    Int4 = 4,

    /// <summary>2-bit codes per token, rotated keys.</summary>
    Int2 = 5,

    /// <summary>Additive vector quantization that commutes with RoPE, about 2 bits.</summary>
    CommVq2 = 6,

    /// <summary>The same cut to about 1 bit.</summary>
    CommVq1 = 7,

    /// <summary><see cref="Int4"/> without rotation, to measure what the rotation gives.</summary>
    Int4Plain = 8,

    /// <summary>2-bit codes, keys by channel, to measure what the axis gives.</summary>
    Int2Channel = 9,

    /// <summary><see cref="CommVq2"/> with codebooks that do not commute with RoPE, to measure what that costs.</summary>
    CommVq2Untied = 10,

    /// <summary><see cref="CommVq2"/> over keys as RoPE turned them, to measure what turning them back gives.</summary>
    CommVq2AfterRope = 11,

    /// <summary><see cref="CommVq2"/> without the mean of the channels, to measure what that gives.</summary>
    CommVq2Uncentred = 12,

    /// <summary><see cref="Int2"/> with one scale for four tokens, as small as <see cref="CommVq2"/>, to compare at equal bytes.</summary>
    Int2Grouped = 13,

    /// <summary>8-bit latents of a singular value decomposition, a layer page at a time. Numbers to 27 are kept for this family.</summary>
    XQuant8 = 14,

    /// <summary>4-bit latents.</summary>
    XQuant4 = 15,

    /// <summary>3-bit latents.</summary>
    XQuant3 = 16,

    /// <summary>2-bit latents.</summary>
    XQuant2 = 17,

    /// <summary>Lowest orders over time of some channels, the others as 16-bit floats. Numbers to 37 are kept for this family.</summary>
    Fourier16 = 28,

    /// <summary>The others as 8-bit codes.</summary>
    Fourier8 = 29,

    /// <summary>The others as 4-bit codes, rotated keys.</summary>
    Fourier4 = 30,
}
