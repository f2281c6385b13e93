namespace Concertina.Cli.Benches;

/// <summary>Median and 99th percentile.</summary>
/// <param name="P50">Median.</param>
/// <param name="P99">99th percentile, nearest rank.</param>
internal sealed record Percentiles(double P50, double P99)
{
    /// <summary>Of measured values; null when there are none.</summary>
    public static Percentiles? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? null : new Percentiles(Rank(sorted, 0.50), Rank(sorted, 0.99));
    }

    private static double Rank(double[] sorted, double share) =>
        Math.Round(sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)], 3);
}
