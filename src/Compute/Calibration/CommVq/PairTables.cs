using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.Calibration.CommVq;

/// <summary>The two tables of a stage under training, [levels, width].</summary>
/// <param name="Kind">How they are related.</param>
/// <param name="Width">Floats of a row.</param>
/// <param name="First">First table.</param>
/// <param name="Second">Second table.</param>
internal sealed record PairTables(PairKind Kind, int Width, float[] First, float[] Second)
{
    public int FirstLevels => First.Length / Width;

    public int SecondLevels => Second.Length / Width;

    /// <summary>Tables of zeros.</summary>
    public static PairTables Zero(PairKind kind, int levels, int width) =>
        new(kind, width, new float[(kind == PairKind.Single ? 1 : levels) * width], new float[levels * width]);

    public PairTables Copy() => this with { First = (float[])First.Clone(), Second = (float[])Second.Clone() };

    /// <summary>Makes the second table i times the first, where they are tied.</summary>
    public void Tie()
    {
        if (Kind == PairKind.Tied)
        {
            PairLayout.TimesI(First, Second, Width);
        }
    }

    /// <summary>Rounds to 16-bit floats, which is how books are kept; the stages that follow then see what readers see.</summary>
    public void RoundToHalves()
    {
        foreach (float[] table in new[] { First, Second })
        {
            for (int i = 0; i < table.Length; i++)
            {
                table[i] = (float)(Half)table[i];
            }
        }
    }
}
