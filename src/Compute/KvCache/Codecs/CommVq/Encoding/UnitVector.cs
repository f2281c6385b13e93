namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>Direction and length of a row about a mean.</summary>
internal static class UnitVector
{
    /// <summary>unit = (row - mean) / norm, in binary64 until the last rounding; zero where the norm is.</summary>
    /// <returns>The norm; not finite when the row is not.</returns>
    public static double Make(ReadOnlySpan<float> row, ReadOnlySpan<float> mean, Span<float> unit)
    {
        double squared = 0;
        for (int i = 0; i < row.Length; i++)
        {
            double x = (double)row[i] - mean[i];
            squared += x * x;
        }
        double norm = Math.Sqrt(squared);
        for (int i = 0; i < row.Length; i++)
        {
            unit[i] = norm > 0 && double.IsFinite(norm) ? (float)(((double)row[i] - mean[i]) / norm) : 0f;
        }
        return norm;
    }
}
