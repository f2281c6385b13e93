using System.Globalization;

namespace Concertina.Cli.Reports;

/// <summary>Numbers as the report writes them, the same in every culture.</summary>
internal static class Figures
{
    /// <summary>What stands where nothing was measured.</summary>
    public const string NotMeasured = "not measured";

    /// <summary>Bytes per token.</summary>
    public static string Bytes(double value) => value.ToString("N1", CultureInfo.InvariantCulture);

    /// <summary>A count.</summary>
    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Nats, three digits.</summary>
    public static string Nats(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>A ratio.</summary>
    public static string Ratio(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>Perplexity.</summary>
    public static string Perplexity(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    /// <summary>Nanoseconds.</summary>
    public static string Nanoseconds(double value) => value.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>A share as percent.</summary>
    public static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>A difference of shares as points, with its sign.</summary>
    public static string Points(double share) => (100 * share).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture);

    /// <summary>Share of questions answered rightly.</summary>
    public static string Recall(RungSummary rung) => rung.Seeds.All(seed => seed.Recall is not null)
        ? rung.Of(seed => seed.Recall!.Value).Text(Percent)
        : NotMeasured;

    /// <summary>Recall against lossless: the mean over the seeds, and what every seed's 95 % interval lies within.</summary>
    public static string RecallDelta(RungSummary rung)
    {
        if (rung.Seeds.Any(seed => seed.RecallDelta is null))
        {
            return NotMeasured;
        }
        return rung.Seeds.All(seed => seed.RecallCi95 is [_, _])
            ? $"{Points(rung.Of(seed => seed.RecallDelta!.Value).Mean)} ({Points(rung.Seeds.Min(seed => seed.RecallCi95![0]))} to {Points(rung.Seeds.Max(seed => seed.RecallCi95![1]))})"
            : rung.Of(seed => seed.RecallDelta!.Value).Text(Points);
    }

    /// <summary>One row of a table.</summary>
    public static string Row(params IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |";

    /// <summary>First rows of a table: names on the left, numbers on the right.</summary>
    public static IEnumerable<string> Head(params IReadOnlyList<string> names) =>
        [Row(names), $"| --- |{string.Concat(Enumerable.Repeat(" ---: |", names.Count - 1))}"];
}
