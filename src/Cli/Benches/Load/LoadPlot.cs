using Concertina.Cli.Reports;
using Concertina.Cli.Reports.Plots;

namespace Concertina.Cli.Benches.Load;

/// <summary>A run over time: KV bytes against the budget, and every turn by how it went.</summary>
internal static class LoadPlot
{
    private const int Width = 900;
    private const int Height = 420;
    private const int Left = 70;
    private const int Right = 30;
    private const int Top = 74;
    private const int MemoryHeight = 200;
    private const int TurnTop = 310;
    private const int TurnHeight = 70;

    /// <summary>The picture.</summary>
    public static string Of(LoadResult result)
    {
        Picture picture = new((Width, Height), "Load over time",
            $"{result.Scenario.Name}, policy {result.Policy}: {result.Good} of {result.Turns.Count} turns good, {result.Refused} refused, {result.Failed} failed.");
        picture.Text("title", (20, 30), $"{result.Scenario.Name}, {result.Policy}: {result.Good} of {result.Turns.Count} turns within the limits");
        picture.Text("note", (20, 50), "Above: KV bytes in use, without those free to take, against the budget. Below: turns by session, from request to end.");
        double end = Math.Max(1, result.Turns.Max(turn => turn.EndSeconds));
        double X(double seconds) => Left + ((Width - Left - Right) * Math.Min(1, seconds / end));
        double most = Math.Max(1, result.Samples.Select(sample => Math.Max(sample.UsedBytes, sample.BudgetBytes)).DefaultIfEmpty(1).Max());
        double Y(double bytes) => Top + MemoryHeight - (MemoryHeight * bytes / most);
        picture.Line("axis", (Left, Top + MemoryHeight), (Width - Right, Top + MemoryHeight));
        foreach ((MemorySample before, MemorySample after) in result.Samples.Zip(result.Samples.Skip(1)))
        {
            picture.Line("axis", (X(before.Seconds), Y(before.BudgetBytes)), (X(after.Seconds), Y(after.BudgetBytes)));
            picture.Line("row", (X(before.Seconds), Y(before.UsedBytes - before.FreeableBytes)), (X(after.Seconds), Y(after.UsedBytes - after.FreeableBytes)));
        }
        picture.Text("end", (Left - 8, Y(most) + 4), Figures.Count(most / (1 << 20)) + " MiB");
        double step = (double)TurnHeight / Math.Max(1, result.Scenario.Sessions);
        foreach (TurnResult turn in result.Turns)
        {
            string style = turn.IsGood(result.Scenario.Limits) ? "row" : "other";
            picture.Box(style, (X(turn.SentSeconds), TurnTop + (turn.Session * step)), (Math.Max(1.5, X(turn.EndSeconds) - X(turn.SentSeconds)), Math.Max(1, step - 1)));
        }
        picture.Text("note", (Left, Height - 12), $"0 to {Figures.Count(end)} s");
        return picture.ToString();
    }
}
