namespace Concertina.Compute.KvCache.Codecs;

/// <summary>What a page loses in a codec: ||x - x^|| / ||x|| over all its rows of one side (Frobenius norms).</summary>
internal static class PageResidual
{
    /// <summary>The residual of rows and what they decode to; 0 when there is nothing to lose.</summary>
    public static double Of(ReadOnlySpan<float> rows, ReadOnlySpan<float> decoded)
    {
        double lost = 0;
        double energy = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            double error = rows[i] - decoded[i];
            lost += error * error;
            energy += (double)rows[i] * rows[i];
        }
        return lost == 0 ? 0 : Math.Sqrt(lost / energy);
    }
}
