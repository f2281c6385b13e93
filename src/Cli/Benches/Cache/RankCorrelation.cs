namespace Concertina.Cli.Benches.Cache;

/// <summary>Spearman's rank correlation; ties share the mean of their ranks.</summary>
internal static class RankCorrelation
{
    /// <summary>Of at least two pairs; NaN where one side has one value only.</summary>
    public static double Of(IReadOnlyList<double> left, IReadOnlyList<double> right)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(right.Count, left.Count);
        (double[] a, double[] b) = (Ranks(left), Ranks(right));
        (double meanA, double meanB) = (a.Average(), b.Average());
        double both = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Sum();
        return both / Math.Sqrt(a.Sum(x => (x - meanA) * (x - meanA)) * b.Sum(y => (y - meanB) * (y - meanB)));
    }

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        double[] ranks = new double[order.Length];
        for (int first = 0; first < order.Length;)
        {
            int end = first + 1;
            while (end < order.Length && values[order[end]] == values[order[first]])
            {
                end++;
            }
            for (int i = first; i < end; i++)
            {
                ranks[order[i]] = (first + end - 1) / 2.0;
            }
            first = end;
        }
        return ranks;
    }
}
