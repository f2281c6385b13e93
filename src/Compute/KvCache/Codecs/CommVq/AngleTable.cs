using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>
/// cis(position * frequency) of every position as one complex product: cis(64 p) * cis(i) with position = 64 p + i. Angles are
/// binary64, entries binary32; the one table turns keys back before encoding and forward at reading. Immutable.
/// </summary>
internal sealed unsafe class AngleTable
{
    private readonly PinnedTable _rows;

    /// <param name="frequencies">Radians a position, one per pair; missing ones are 0: channels that RoPE leaves alone.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="positionCount">Positions lie below this.</param>
    public AngleTable(ReadOnlySpan<double> frequencies, int headDim, int positionCount)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frequencies.Length, headDim / 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(positionCount, 1);
        PageCount = KvShape.PagesFor(positionCount);
        Width = PairLayout.Width(headDim);
        _rows = new PinnedTable(Bytes(headDim, positionCount) / sizeof(float));
        for (int slot = 0; slot < KvShape.PageTokens; slot++)
        {
            Fill(Slots + (slot * Width), frequencies, slot);
        }
        for (int page = 0; page < PageCount; page++)
        {
            Fill(Pages + (page * Width), frequencies, (double)page * KvShape.PageTokens);
        }
    }

    /// <summary>Pages of 64 positions.</summary>
    public int PageCount { get; }

    /// <summary>Floats of a row: cosines, then sines.</summary>
    public int Width { get; }

    /// <summary>Rows of the positions 0 to 63.</summary>
    public float* Slots => _rows.Pointer;

    /// <summary>Rows of the positions 0, 64, 128, ...</summary>
    public float* Pages => Slots + (KvShape.PageTokens * Width);

    /// <summary>Bytes of a table.</summary>
    public static long Bytes(int headDim, int positionCount) =>
        sizeof(float) * (long)PairLayout.Width(headDim) * (KvShape.PageTokens + KvShape.PagesFor(positionCount));

    /// <summary>Turns a split vector by -position: from after RoPE to before it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in the table.</exception>
    public void TurnBack(int position, Span<float> split) => Turn(position, split, -1f);

    /// <summary>Turns a split vector by +position.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in the table.</exception>
    public void TurnForward(int position, Span<float> split) => Turn(position, split, 1f);

    private void Turn(int position, Span<float> split, float direction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position / KvShape.PageTokens, PageCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(split.Length, Width);
        int pairs = Width / 2;
        float* page = Pages + (position / KvShape.PageTokens * Width);
        float* slot = Slots + (position % KvShape.PageTokens * Width);
        for (int pair = 0; pair < pairs; pair++)
        {
            float cosine = (page[pair] * slot[pair]) - (page[pairs + pair] * slot[pairs + pair]);
            float sine = direction * MathF.FusedMultiplyAdd(page[pair], slot[pairs + pair], page[pairs + pair] * slot[pair]);
            float real = split[pair];
            float imaginary = split[pairs + pair];
            split[pair] = (real * cosine) - (imaginary * sine);
            split[pairs + pair] = MathF.FusedMultiplyAdd(real, sine, imaginary * cosine);
        }
    }

    private void Fill(float* row, ReadOnlySpan<double> frequencies, double position)
    {
        for (int pair = 0; pair < Width / 2; pair++)
        {
            (double sine, double cosine) = Math.SinCos(pair < frequencies.Length ? position * frequencies[pair] : 0);
            row[pair] = (float)cosine;
            row[(Width / 2) + pair] = (float)sine;
        }
    }
}
