namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>Levels and stages of a pair of codecs: commvq2 uses all stages, commvq1 the first half of them.</summary>
/// <param name="KeyLevels">16 or 64; a code of a key stage is two indices.</param>
/// <param name="KeyStages">Even.</param>
/// <param name="ValueLevels">16, 64 or 256.</param>
/// <param name="ValueStages">Even; with 16 levels a multiple of 4, because two stages share a byte.</param>
internal readonly record struct CommVqShape(int KeyLevels, int KeyStages, int ValueLevels, int ValueStages)
{
    private const int BookShare = 8;

    /// <summary>Bits of a plane of keys for one slot: both indices.</summary>
    public int KeyPlaneBits => KeyLevels == 16 ? 8 : 12;

    /// <summary>Bits of a plane of values for one slot.</summary>
    public int ValuePlaneBits => ValueLevels == 64 ? 6 : 8;

    /// <summary>Stages that one plane of values holds.</summary>
    public int ValuePlaneStages => ValueLevels == 16 ? 2 : 1;

    /// <summary>Bytes of both parts of a page.</summary>
    public int PageBytes =>
        (KeyStages * CodePlane.Bytes(KeyPlaneBits)) + (ValueStages / ValuePlaneStages * CodePlane.Bytes(ValuePlaneBits)) + (2 * KvShape.PageTokens);

    /// <summary>Bytes of the tables of one head that attention reads, in 32-bit floats.</summary>
    public long BookBytes(int headDim)
    {
        long keyRows = (long)KeyLevels * KeyStages * Books.PairLayout.Width(headDim);
        return sizeof(float) * (keyRows + ((long)ValueLevels * ValueStages * headDim));
    }

    /// <summary>Bytes of books and pages together: what a token costs all in, times the tokens.</summary>
    public double AllInBytes(int headDim, int headCount, long tokens) =>
        headCount * (BookBytes(headDim) + ((double)PageBytes / KvShape.PageTokens * tokens));

    /// <summary>
    /// The shape of about 2 bits an element for a model and the tokens its cache is to hold. More levels lower the error at
    /// the same bits but cost books; so the largest books win that add no more than an eighth to the pages, else the
    /// smallest.
    /// </summary>
    public static CommVqShape Choose(int headDim, int headCount, long expectedTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headDim, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(headCount, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(expectedTokens);
        CommVqShape best = OfTwoBits(headDim, BookSizes[^1]);
        foreach ((int Keys, int Values) size in BookSizes)
        {
            CommVqShape shape = OfTwoBits(headDim, size);
            double pages = shape.AllInBytes(headDim, headCount, expectedTokens) - (headCount * shape.BookBytes(headDim));
            if (headCount * shape.BookBytes(headDim) * BookShare <= pages)
            {
                return shape;
            }
        }
        return best;
    }

    private static readonly (int Keys, int Values)[] BookSizes = [(64, 256), (16, 256), (16, 64), (16, 16)];

    private static CommVqShape OfTwoBits(int headDim, (int Keys, int Values) levels)
    {
        int bits = 2 * headDim;
        int keyStages = Math.Min(bits / (levels.Keys == 16 ? 8 : 12), Books.BookLayout.StageLimit) & ~1;
        int valueBits = levels.Values switch { 16 => 4, 64 => 6, _ => 8 };
        int valueStages = Math.Min(bits / valueBits, Books.BookLayout.StageLimit) & (levels.Values == 16 ? ~3 : ~1);
        return new CommVqShape(levels.Keys, Math.Max(2, keyStages), levels.Values, Math.Max(levels.Values == 16 ? 4 : 2, valueStages));
    }
}
