namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>
/// Codebook of the keys of one head before RoPE: k = mean + norm * sum over stages r of (Z_r[a] + i Y_r[b]). Tied (Y = Z) the
/// 2 x 2 blocks commute with RoPE, which is CommVQ; a free second table is the arm that shows what tying costs.
/// Source: https://arxiv.org/abs/2506.18879, equations 7 and 17. Immutable.
/// </summary>
internal sealed class KeyBook
{
    /// <param name="layout">Levels, stages and channels.</param>
    /// <param name="rows">Z, [stages, levels, headDim]: real parts of all pairs, then imaginary parts.</param>
    /// <param name="secondRows">Y, of the same shape, or null when tied.</param>
    /// <param name="mean">Mean of each channel, in the order of channels.</param>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite.</exception>
    public KeyBook(BookLayout layout, float[] rows, float[]? secondRows, float[] mean)
    {
        layout.Require(BookLayout.KeyLevels);
        layout.RequireLength(rows, nameof(rows));
        if (secondRows is not null)
        {
            layout.RequireLength(secondRows, nameof(secondRows));
        }
        layout.RequireMean(mean, nameof(mean));
        Layout = layout;
        Rows = rows;
        SecondRows = secondRows ?? rows;
        IsTied = secondRows is null;
        Mean = mean;
    }

    public BookLayout Layout { get; }

    /// <summary>Z.</summary>
    public ReadOnlyMemory<float> Rows { get; }

    /// <summary>Y; Z again when tied.</summary>
    public ReadOnlyMemory<float> SecondRows { get; }

    public ReadOnlyMemory<float> Mean { get; }

    /// <summary>True when both codes read one table.</summary>
    public bool IsTied { get; }

    /// <summary>Z of one stage as padded split rows, [levels, width].</summary>
    public void First(int stage, Span<float> padded) => Layout.Pad(Rows.Span, stage, padded);

    /// <summary>i Y of one stage as padded split rows, [levels, width].</summary>
    public void Second(int stage, Span<float> padded)
    {
        float[] rows = new float[padded.Length];
        Layout.Pad(SecondRows.Span, stage, rows);
        PairLayout.TimesI(rows, padded, PairLayout.Width(Layout.HeadDim));
    }

    /// <summary>The first stages: stages are nested, so this is the codebook of so many stages.</summary>
    public KeyBook Take(int stages)
    {
        BookLayout layout = Layout with { Stages = stages };
        float[] rows = Rows[..layout.Length].ToArray();
        return new KeyBook(layout, rows, IsTied ? null : SecondRows[..layout.Length].ToArray(), Mean.ToArray());
    }
}
