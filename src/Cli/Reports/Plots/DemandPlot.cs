using Concertina.Cli.Benches.Load;

namespace Concertina.Cli.Reports.Plots;

/// <summary>Good turns a second against demand, a curve a policy.</summary>
internal static class DemandPlot
{
    private const int Width = 900;
    private const int Height = 400;
    private const int Left = 70;
    private const int Right = 150;
    private const int Top = 84;
    private const int Bottom = 340;

    /// <summary>The picture; null: there is nothing to show.</summary>
    public static string? Of(IReadOnlyList<LoadResult> runs)
    {
        if (runs.Count == 0)
        {
            return null;
        }
        double[] demands = [.. runs.Select(run => run.Scenario.Demand).Distinct().Order()];
        double most = runs.Max(run => run.Goodput) * 1.1;
        double X(double demand) => Left + ((Width - Left - Right) * (demand / demands[^1]));
        double Y(double goodput) => Bottom - ((Bottom - Top) * (goodput / Math.Max(1e-9, most)));
        Picture picture = new((Width, Height), "Goodput under memory pressure", Description(runs));
        picture.Text("title", (20, 30), "Good turns a second, by demand for KV memory");
        picture.Text("note", (20, 50), $"Demand: lossless bytes of all conversations by the KV budget. {Limits(runs[0].Scenario.Limits)}");
        foreach (double demand in demands)
        {
            picture.Line("grid", (X(demand), Top), (X(demand), Bottom));
            picture.Text("middle", (X(demand), Bottom + 20), $"{demand}x");
        }
        picture.Line("axis", (Left, Bottom), (Width - Right, Bottom));
        picture.Line("axis", (Left, Top), (Left, Bottom));
        picture.Text("end", (Left - 8, Y(most / 1.1) + 4), Figures.Perplexity(most / 1.1));
        picture.Text("end", (Left - 8, Bottom + 4), "0");
        Curves(picture, runs, at => (X(at.Demand), Y(at.Goodput)));
        return picture.ToString();
    }

    private static void Curves(Picture picture, IReadOnlyList<LoadResult> runs, Func<(double Demand, double Goodput), (double X, double Y)> place)
    {
        int curve = 0;
        double taken = double.NegativeInfinity;
        foreach (IGrouping<string, LoadResult> policy in runs.GroupBy(run => run.Policy).OrderBy(policy => policy.MaxBy(run => run.Scenario.Demand)!.Goodput))
        {
            (double X, double Y)[] points = [.. policy.OrderBy(run => run.Scenario.Demand).Select(run => place((run.Scenario.Demand, run.Goodput)))];
            picture.Path($"curve{1 + (LoadPolicy.All.Select(known => known.Name).ToList().IndexOf(policy.Key) is >= 0 and int known ? known : 2)}", points);
            foreach ((double X, double Y) point in points)
            {
                picture.Dot("lossless", point);
            }
            // From the lowest curve to the highest: labels move up where they would cover one another.
            double y = curve++ == 0 ? points[^1].Y : Math.Min(points[^1].Y, taken - 16);
            picture.Text("label", (points[^1].X + 10, y + 4), policy.Key);
            taken = y;
        }
    }

    private static string Limits(ServiceLimits limits) =>
        $"Good: first text within {Figures.Count(limits.TtftMs)} ms, the others {Figures.Count(limits.ItlMs)} ms apart on average.";

    private static string Description(IReadOnlyList<LoadResult> runs) => string.Join("; ", runs
        .OrderBy(run => run.Policy, StringComparer.Ordinal).ThenBy(run => run.Scenario.Demand)
        .Select(run => $"{run.Policy} at {run.Scenario.Demand}x: {Figures.Perplexity(run.Goodput)} good turns a second"));
}
