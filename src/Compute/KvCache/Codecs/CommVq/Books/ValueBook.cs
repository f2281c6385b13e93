namespace Concertina.Compute.KvCache.Codecs.CommVq.Books;

/// <summary>
/// Residual codebook of the values of one head: v = mean + norm * sum over stages r of C_r[c]. Per head and without a network,
/// where the paper encodes all heads of a layer together with one. Immutable.
/// </summary>
internal sealed class ValueBook
{
    /// <param name="layout">Levels, stages and channels.</param>
    /// <param name="rows">C, [stages, levels, headDim].</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite.</exception>
    public ValueBook(BookLayout layout, float[] rows, float[] mean)
    {
        layout.Require(BookLayout.ValueLevels);
        layout.RequireLength(rows, nameof(rows));
        layout.RequireMean(mean, nameof(mean));
        if (layout.IsPaired && layout.Stages % 2 != 0)
        {
            throw new ArgumentException($"Stages of {layout.Levels} levels share bytes in pairs, so there is an even number of them, not {layout.Stages}.");
        }
        Layout = layout;
        Rows = rows;
        Mean = mean;
    }

    public BookLayout Layout { get; }

    /// <summary>C.</summary>
    public ReadOnlyMemory<float> Rows { get; }

    public ReadOnlyMemory<float> Mean { get; }

    /// <summary>C of one stage, [levels, headDim].</summary>
    public ReadOnlySpan<float> Stage(int stage) => Rows.Span.Slice(stage * Layout.StageLength, Layout.StageLength);

    /// <summary>The first stages: stages are nested, so this is the codebook of so many stages.</summary>
    public ValueBook Take(int stages)
    {
        BookLayout layout = Layout with { Stages = stages };
        return new ValueBook(layout, Rows[..layout.Length].ToArray(), Mean.ToArray());
    }
}
