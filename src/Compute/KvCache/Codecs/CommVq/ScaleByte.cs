namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>
/// Norm of a vector in one byte, 12 steps an octave: 0 means 0, c means 2^((c - 1) / 12 - 8), from 0.0039 to 9192; in between
/// off by at most 2.93 %.
/// </summary>
internal static class ScaleByte
{
    /// <summary>Norm of every byte.</summary>
    public static readonly float[] Values = [0f, .. Enumerable.Range(0, 255).Select(step => (float)Math.Pow(2, (step / 12.0) - 8))];

    /// <summary>The nearest byte on the logarithmic scale; norms beyond its ends get the ends.</summary>
    public static byte Encode(double norm) =>
        norm > 0 ? (byte)(1 + Math.Clamp(Math.Round(12 * (Math.Log2(norm) + 8)), 0, 254)) : (byte)0;
}
