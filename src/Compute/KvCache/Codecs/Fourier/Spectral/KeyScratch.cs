using Concertina.Compute.Attention;

namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>A worker's memory for keys during a run.</summary>
internal readonly unsafe struct KeyScratch
{
    private const int LineFloats = 16;

    public KeyScratch(FourierHead* head, in RowBlock block)
    {
        Unit = (byte**)block.KeyScratch;
        Compressed = (float*)block.KeyScratch + LineFloats;
        Kept = Compressed + (block.PaddedRows * head->CompressedCount);
        Spectrum = Kept + (block.PaddedRows * head->KeptCount);
        Scores = Spectrum + (block.PaddedRows * head->Orders);
        Inner = (byte*)(Scores + (block.PaddedRows * KvShape.PageTokens));
    }

    /// <summary>The unit whose <see cref="Spectrum"/> is there; null before the first of a run.</summary>
    public byte** Unit { get; }

    /// <summary>[rows, |D_c|] q[D_c].</summary>
    public float* Compressed { get; }

    /// <summary>[rows, |D_u|] q[D_u].</summary>
    public float* Kept { get; }

    /// <summary>[rows, m] g = C_K q[D_c].</summary>
    public float* Spectrum { get; }

    /// <summary>[rows, 64] scores of the kept channels.</summary>
    public float* Scores { get; }

    /// <summary>Scratch of the codec of the kept channels.</summary>
    public byte* Inner { get; }

    public static int Bytes(int rows, int headDim, int orders) =>
        sizeof(float) * (LineFloats + (rows * (headDim + orders + KvShape.PageTokens)));
}
