using Concertina.Compute.Attention;

namespace Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

/// <summary>A worker's memory for values during a run.</summary>
internal readonly unsafe struct ValueScratch
{
    private const int LineFloats = 16;

    public ValueScratch(FourierHead* head, in RowBlock block)
    {
        Unit = (byte**)block.ValueScratch;
        Spectrum = (float*)block.ValueScratch + LineFloats;
        Kept = Spectrum + (block.PaddedRows * head->Orders);
        Compressed = Kept + (block.PaddedRows * head->KeptCount);
        Inner = (byte*)(Compressed + (block.PaddedRows * head->CompressedCount));
    }

    /// <summary>The unit whose weights <see cref="Spectrum"/> holds; null before the first of a run.</summary>
    public byte** Unit { get; }

    /// <summary>[rows, m] h = R p over the pages of the unit so far.</summary>
    public float* Spectrum { get; }

    /// <summary>[rows, |D_u|] weighted kept channels of the run.</summary>
    public float* Kept { get; }

    /// <summary>[rows, |D_c|] C_V^T h, for a moment.</summary>
    public float* Compressed { get; }

    /// <summary>Scratch of the codec of the kept channels.</summary>
    public byte* Inner { get; }

    public static int Bytes(int rows, int headDim, int orders) => sizeof(float) * (LineFloats + (rows * (headDim + orders)));
}
