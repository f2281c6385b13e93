namespace Concertina.Cli.Reports;

/// <summary>All figures of the rungs of one run, or of several seeds.</summary>
internal static class RungTable
{
    /// <summary>Lines of the table.</summary>
    public static IEnumerable<string> Of(RunGroup group)
    {
        IEnumerable<string> head = Figures.Head(
            "rung", "ratio", "bytes/token", "mean KL", "p99 KL", "perplexity", "top-1 %", "recall %", "recall against lossless, points",
            "attend ns", "attend to f16", "encode ns");
        return [.. head, .. group.RungNames.Select(name => Row(group.Find(name)!, group))];
    }

    private static string Row(RungSummary rung, RunGroup group) => Figures.Row(
        $"`{rung.Name}`",
        rung.Of(seed => seed.Ratio).Text(Figures.Ratio),
        rung.Of(seed => seed.BytesPerToken).Text(Figures.Bytes),
        rung.Of(seed => seed.MeanKl).Text(Figures.Nats),
        rung.Of(seed => seed.P99Kl).Text(Figures.Nats),
        rung.Of(seed => seed.Perplexity).Text(Figures.Perplexity),
        rung.Of(seed => seed.Top1Agreement).Text(Figures.Percent),
        Figures.Recall(rung),
        Figures.RecallDelta(rung),
        rung.Of(seed => seed.AttendNs).Text(Figures.Nanoseconds),
        AttendToLossless(rung.Name, group),
        rung.Of(seed => seed.EncodeNs).Text(Figures.Nanoseconds));

    // Each run is divided by its own f16: times of different runs are not comparable.
    private static string AttendToLossless(string name, RunGroup runs)
    {
        double[] ratios = [..
            from run in runs.Runs
            let lossless = run.Result.Rungs.FirstOrDefault(rung => rung.Rung == "f16")
            let entry = run.Result.Rungs.FirstOrDefault(rung => rung.Rung == name)
            where lossless is { AttendNs: > 0 } && entry is not null
            select entry.AttendNs / lossless.AttendNs];
        return ratios.Length > 0 ? Spread.Of(ratios).Text(Figures.Ratio) : Figures.NotMeasured;
    }
}
