using Concertina.Compute.Attention;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>A worker's memory for keys: queries as pairs, and what the page at hand needs.</summary>
internal readonly unsafe struct KeyArea
{
    private const int Padding = 16;
    private const int LineWords = 16;

    public KeyArea(in RowBlock block)
    {
        int stride = PairWords(block.HeadDim);
        Pairs = new((uint*)block.KeyScratch, stride);
        Units = (float*)block.KeyScratch + (block.PaddedRows * stride);
        Offsets = Units + Lined(block.PaddedRows);
        Scales = Offsets + Lined(block.PaddedRows);
        Minimums = Scales + PageWords(block.HeadDim);
        Products = Minimums + PageWords(block.HeadDim);
    }

    /// <summary>[rows, headDim / 2] pairs of channels i and i + headDim / 2.</summary>
    public PairRows Pairs { get; }

    /// <summary>[rows] what a 1 in the pairs stands for.</summary>
    public float* Units { get; }

    /// <summary>[rows] sum of the query, or of query * minimum for keys by channel.</summary>
    public float* Offsets { get; }

    /// <summary>Scales of the page at hand, one per slot or channel.</summary>
    public float* Scales { get; }

    /// <summary>Minimums likewise.</summary>
    public float* Minimums { get; }

    /// <summary>[headDim] and room for one vector more.</summary>
    public float* Products { get; }

    public static int Bytes(int rows, int headDim) =>
        ((rows * PairWords(headDim)) + (2 * Lined(rows)) + (3 * PageWords(headDim))) * sizeof(float);

    private static int PairWords(int headDim) => Lined((headDim / 2) + Padding);

    private static int PageWords(int headDim) => Lined(Math.Max(headDim, KvShape.PageTokens) + Padding);

    private static int Lined(int words) => (words + LineWords - 1) / LineWords * LineWords;
}

/// <summary>A worker's memory for values: weights as pairs, integer sums, and what the page at hand needs.</summary>
internal readonly unsafe struct ValueArea
{
    /// <summary>Pairs of a row: slots i and i + 32.</summary>
    public const int PairWords = KvShape.PageTokens / 2;

    private const int RowWords = PairWords + 2;
    private const int LineWords = 16;

    public ValueArea(in RowBlock block)
    {
        Pairs = new((uint*)block.ValueScratch, PairWords);
        Scales = (float*)block.ValueScratch + (block.PaddedRows * PairWords);
        Minimums = Scales + KvShape.PageTokens;
        Products = Minimums + KvShape.PageTokens;
        Sums = Products + KvShape.PageTokens;
        Units = Sums + (block.PaddedRows * block.HeadDim);
        Offsets = Units + block.PaddedRows;
    }

    /// <summary>[rows, 32].</summary>
    public PairRows Pairs { get; }

    /// <summary>[64] of the page and group at hand.</summary>
    public float* Scales { get; }

    /// <summary>Minimums likewise.</summary>
    public float* Minimums { get; }

    /// <summary>[64].</summary>
    public float* Products { get; }

    /// <summary>[rows, headDim] integers as their bits.</summary>
    public float* Sums { get; }

    /// <summary>[rows] what a 1 in the pairs stands for.</summary>
    public float* Units { get; }

    /// <summary>[rows] sum of weight * minimum.</summary>
    public float* Offsets { get; }

    public static int Bytes(int rows, int headDim) =>
        ((rows * (RowWords + headDim)) + (3 * KvShape.PageTokens) + LineWords) * sizeof(float);
}
