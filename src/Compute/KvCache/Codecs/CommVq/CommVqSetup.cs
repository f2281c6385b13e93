using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>What the codecs of one cache are made from.</summary>
internal sealed record CommVqSetup
{
    /// <summary>Books of all heads.</summary>
    public required CommVqBooks Books { get; init; }

    /// <summary>RoPE's radians a position, one per rotated pair of channels (2i, 2i + 1); the other pairs do not turn.</summary>
    public required IReadOnlyList<double> Frequencies { get; init; }

    /// <summary>Positions lie below this: the model's context length.</summary>
    public required int PositionCount { get; init; }

    /// <summary>True: values are never decoded (see the README for when that is faster); fixed for all blocks by the row law.</summary>
    public required bool HistogramValues { get; init; }

    /// <summary>What pages of the calibration text lose, or null: then no page is refused.</summary>
    public CommVqResiduals? Residuals { get; init; }

    /// <summary>Times the calibration's median that a page may lose.</summary>
    public double GuardFactor { get; init; } = 1.5;

    /// <summary>Partial sums that encoding keeps: 1, 2, 4, 8 or 16.</summary>
    public int Beam { get; init; } = 4;

    /// <summary>
    /// Whether values are better never decoded. The histogram costs a row so much on every slot, the tile nearly nothing
    /// beyond decoding once: with one query head to a KV head and books of 16 levels the histogram saves a third of decode,
    /// with more rows or levels it does not pay.
    /// </summary>
    public static bool PrefersHistogram(CommVqShape shape, int groupSize) => groupSize == 1 && shape.ValueLevels == 16;
}
