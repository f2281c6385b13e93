namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>Dimensions of a codebook.</summary>
/// <param name="Levels">Codewords of a stage; a power of two.</param>
/// <param name="Stages">Stages.</param>
/// <param name="HeadDim">Channels.</param>
internal readonly record struct BookLayout(int Levels, int Stages, int HeadDim)
{
    /// <summary>Most stages of a book.</summary>
    public const int StageLimit = 128;

    /// <summary>Levels that have a packing for keys: two codes of 4 bits in a byte, or of 6 bits in 12.</summary>
    public static readonly int[] KeyLevels = [16, 64];

    /// <summary>Levels that have a packing for values: two stages in a byte, 6 bits, or a byte.</summary>
    public static readonly int[] ValueLevels = [16, 64, 256];

    /// <summary>True when two stages of values share a byte.</summary>
    public bool IsPaired => Levels == 16;

    /// <summary>Floats of one stage.</summary>
    public int StageLength => Levels * HeadDim;

    /// <summary>Floats of all stages.</summary>
    public int Length => Stages * StageLength;

    /// <exception cref="ArgumentException">Levels have no packing, or stages or channels are out of range.</exception>
    public void Require(int[] packed)
    {
        if (!packed.Contains(Levels))
        {
            throw new ArgumentException($"A stage has {string.Join(", ", packed)} levels, not {Levels}.");
        }
        if (Stages is < 1 or > StageLimit)
        {
            throw new ArgumentException($"A book has 1 to {StageLimit} stages, not {Stages}.");
        }
        if (HeadDim is < 16 or > 256 || HeadDim % 16 != 0)
        {
            throw new ArgumentException($"The head dimension must be a multiple of 16 between 16 and 256, not {HeadDim}.");
        }
    }

    public void RequireLength(float[] rows, string name) => RequireFinite(rows, Length, name);

    public void RequireMean(float[] mean, string name) => RequireFinite(mean, HeadDim, name);

    /// <summary>Split rows of one stage, with the padding of <see cref="PairLayout"/>.</summary>
    public void Pad(ReadOnlySpan<float> rows, int stage, Span<float> padded)
    {
        int pairs = HeadDim / 2;
        int width = PairLayout.Width(HeadDim);
        padded.Clear();
        for (int level = 0; level < Levels; level++)
        {
            ReadOnlySpan<float> row = rows.Slice((stage * StageLength) + (level * HeadDim), HeadDim);
            row[..pairs].CopyTo(padded[(level * width)..]);
            row[pairs..].CopyTo(padded[((level * width) + (width / 2))..]);
        }
    }

    /// <summary>The inverse of <see cref="Pad"/>.</summary>
    public void Unpad(ReadOnlySpan<float> padded, int stage, Span<float> rows)
    {
        int pairs = HeadDim / 2;
        int width = PairLayout.Width(HeadDim);
        for (int level = 0; level < Levels; level++)
        {
            Span<float> row = rows.Slice((stage * StageLength) + (level * HeadDim), HeadDim);
            padded.Slice(level * width, pairs).CopyTo(row);
            padded.Slice((level * width) + (width / 2), pairs).CopyTo(row[pairs..]);
        }
    }

    private static void RequireFinite(float[] numbers, int length, string name)
    {
        if (numbers.Length != length)
        {
            throw new ArgumentException($"{name} has {numbers.Length} numbers; the layout needs {length}.", name);
        }
        if (!Array.TrueForAll(numbers, float.IsFinite))
        {
            throw new ArgumentException($"{name} holds a number that is not finite.", name);
        }
    }
}
