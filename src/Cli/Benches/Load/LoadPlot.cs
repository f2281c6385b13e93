using Concertina.Cli.Reports;
using Concertina.Cli.Reports.Plots;

namespace Concertina.Cli.Benches.Load;

/// <summary>A run over time: KV bytes by rung against the budget, good turns a second, and every turn by how it went.</summary>
internal sealed class LoadPlot
{
    private const int Width = 900;
    private const int Height = 500;
    private const int Left = 90;
    private const int Right = 30;
    private const int MemoryTop = 96;
    private const int MemoryHeight = 190;
    private const int GoodputTop = 312;
    private const int GoodputHeight = 50;
    private const int TurnTop = 386;
    private const int TurnHeight = 80;
    private const int Steps = 8;

    /// <summary>Seconds over which good turns are counted.</summary>
    private const double WindowSeconds = 15;

    private readonly LoadResult _result;
    private readonly Picture _picture;
    private readonly double _end;

    private LoadPlot(LoadResult result)
    {
        _result = result;
        _end = Math.Max(1, result.Turns.Max(turn => turn.EndSeconds));
        _picture = new Picture((Width, Height), "Load over time",
            $"{result.Scenario.Name}, policy {result.Policy}: {result.Good} of {result.Turns.Count} turns good, {result.Refused} refused, {result.Failed} failed.");
    }

    /// <summary>The picture.</summary>
    public static string Of(LoadResult result)
    {
        var plot = new LoadPlot(result);
        plot._picture.Text("title", (20, 30), $"{result.Scenario.Name}, {result.Policy}: {result.Good} of {result.Turns.Count} turns within the limits");
        plot._picture.Text("note", (20, 50), $"KV bytes of units by rung, and the budget; good turns a second over {WindowSeconds} s; turns by session, from request to end, those not good in violet.");
        plot.Memory();
        plot.Goodput();
        plot.Turns();
        plot._picture.Text("note", (Left, Height - 12), $"0 to {Figures.Count(plot._end)} s");
        return plot._picture.ToString();
    }

    private double X(double seconds) => Left + ((Width - Left - Right) * Math.Min(1, seconds / _end));

    // Bytes of every rung on those of the shallower ones; the ladder's order is that of the metric.
    private void Memory()
    {
        double most = Math.Max(1, _result.Samples.Select(sample => Math.Max(sample.UsedBytes, sample.BudgetBytes)).DefaultIfEmpty(1).Max());
        double Y(double bytes) => MemoryTop + MemoryHeight - (MemoryHeight * Math.Min(1, bytes / most));
        string[] rungs = [.. _result.Samples.SelectMany(sample => sample.RungBytes.Keys).Distinct(StringComparer.Ordinal)
            .Where(rung => _result.Samples.Any(sample => sample.RungBytes.GetValueOrDefault(rung) > 0))];
        double[] below = new double[_result.Samples.Count];
        for (int rung = 0; rung < rungs.Length; rung++)
        {
            double[] above = [.. _result.Samples.Select((sample, i) => below[i] + sample.RungBytes.GetValueOrDefault(rungs[rung]))];
            string style = $"step{rung % Steps}";
            _picture.Area(style,
            [
                .. _result.Samples.Select((sample, i) => (X(sample.Seconds), Y(above[i]))),
                .. _result.Samples.Select((sample, i) => (X(sample.Seconds), Y(below[i]))).Reverse(),
            ]);
            double legend = Left + (rung * 90);
            _picture.Box(style, (legend, 66), (12, 12));
            _picture.Text("note", (legend + 17, 76), rungs[rung]);
            below = above;
        }
        _picture.Line("axis", (Left, MemoryTop + MemoryHeight), (Width - Right, MemoryTop + MemoryHeight));
        _picture.Path("curve", _result.Samples.Select(sample => (X(sample.Seconds), Y(sample.BudgetBytes))));
        _picture.Text("end", (Left - 8, MemoryTop + 5), Figures.Count(most / (1 << 20)) + " MiB");
    }

    private void Goodput()
    {
        double[] ends = [.. _result.Turns.Where(turn => turn.IsGood(_result.Scenario.Limits)).Select(turn => turn.EndSeconds)];
        (double At, double Rate)[] rates =
        [
            .. Enumerable.Range(0, (int)Math.Ceiling(_end) + 1)
                .Select(at => ((double)at, ends.Count(end => end > at - WindowSeconds && end <= at) / WindowSeconds)),
        ];
        double most = Math.Max(1e-9, rates.Max(rate => rate.Rate));
        _picture.Path("curve1", rates.Select(rate => (X(rate.At), GoodputTop + (GoodputHeight * (1 - (rate.Rate / most))))));
        _picture.Line("axis", (Left, GoodputTop + GoodputHeight), (Width - Right, GoodputTop + GoodputHeight));
        _picture.Text("end", (Left - 8, GoodputTop + 5), $"{Figures.Perplexity(most)}/s");
    }

    private void Turns()
    {
        double step = (double)TurnHeight / Math.Max(1, _result.Scenario.Sessions);
        foreach (TurnResult turn in _result.Turns)
        {
            string style = turn.IsGood(_result.Scenario.Limits) ? "row" : "other";
            _picture.Box(style, (X(turn.SentSeconds), TurnTop + (turn.Session * step)), (Math.Max(1.5, X(turn.EndSeconds) - X(turn.SentSeconds)), Math.Max(1, step - 1)));
        }
    }
}
