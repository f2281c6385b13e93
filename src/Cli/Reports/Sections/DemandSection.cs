using Concertina.Cli.Benches.Load;
using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Reports.Sections;

/// <summary>The same conversations under less and less memory, by policy.</summary>
internal static class DemandSection
{
    private const int Seed = 1;

    /// <summary>Lines of the section; none without results.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="plot">Address of <see cref="Plots.DemandPlot"/>.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<BenchRun<LoadResult>> runs, string plot)
    {
        if (runs.Count == 0)
        {
            return [];
        }
        // The run with the most memory has squeezed nobody; what it answered is what the others are compared with.
        LoadResult lossless = runs.Select(run => run.Result).OrderBy(run => run.Scenario.Demand)
            .ThenBy(run => run.Rungs.Keys.Count(rung => rung != "f16")).First();
        Scenario scenario = lossless.Scenario;
        return
        [
            "## Under memory pressure", "",
            $"![Good turns a second by demand, a curve a policy]({plot})", "",
            $"{scenario.Sessions} conversations about documents of {Figures.Count(scenario.ContextTokens)} tokens, {scenario.Turns} questions each, {scenario.ThinkSeconds} s of thought between them on",
            "average; the same in every run, only the KV budget differs. Demand is the lossless bytes of all conversations as a multiple of it. A turn",
            $"is good when its first text came within {Figures.Count(scenario.Limits.TtftMs)} ms and the others {Figures.Count(scenario.Limits.ItlMs)} ms apart on average. Recall is compared on the same questions with the run of",
            $"demand {scenario.Demand} under `{lossless.Policy}`; a turn that was refused or failed counts as wrong. Its 95 % interval resamples documents.", "",
            .. LoadPolicy.All.Where(policy => runs.Any(run => run.Result.Policy == policy.Name)).Select(policy => $"- `{policy.Name}`: {policy.Why}."),
            "",
            .. Figures.Head(
                "demand", "policy", "good turns", "good turns/s", "first text ms, p50 / p90", "between ms, p50", "refused", "failed", "truncated", "preempted", "recall %",
                "recall against lossless, points", "prompt tokens computed", "given back or spilled", "s/GB squeezed", "rungs"),
            .. runs.Select(run => run.Result)
                .OrderBy(run => run.Scenario.Demand).ThenBy(run => run.Policy, StringComparer.Ordinal).Select(run => Row(run, lossless)),
            "",
            $"Commit `{lossless.Commit}`; {lossless.Hardware}; {lossless.Runtime}. Each run is its own file: {string.Join(", ", runs.Select(run => $"`{run.Name}.json`"))}; the first by",
            $"`{lossless.Command}`.", "",
        ];
    }

    private static string Row(LoadResult run, LoadResult lossless)
    {
        PairedRecall recall = Compare(run, lossless);
        (double low, double high) = recall.DeltaInterval(Seed);
        return Figures.Row(
            $"{run.Scenario.Demand}x", $"`{run.Policy}`", $"{run.Good} of {run.Turns.Count}", Figures.Perplexity(run.Goodput),
            $"{Figures.Count(run.TtftMs?.P50 ?? 0)} / {Figures.Count(run.TtftMs?.P90 ?? 0)}", Figures.Nanoseconds(run.ItlMs?.P50 ?? 0),
            Figures.Count(run.Refused), Figures.Count(run.Failed), Figures.Count(run.Truncated), Figures.Count(run.Preemptions), Figures.Percent(run.Recall),
            $"{Figures.Points(recall.Delta)} ({Figures.Points(low)} to {Figures.Points(high)})", Figures.Count(run.PrefilledTokens), Figures.Count(run.Reclaimed),
            run.ReclaimSecondsPerGb is { } seconds ? Figures.Nanoseconds(seconds) : "",
            string.Join(", ", run.Rungs.Select(rung => $"`{rung.Key}` {rung.Value}")));
    }

    private static PairedRecall Compare(LoadResult run, LoadResult lossless)
    {
        var recall = new PairedRecall();
        Dictionary<(int, int), bool> reference = lossless.Turns.ToDictionary(turn => (turn.Session, turn.Turn), turn => turn.Right);
        foreach (IGrouping<int, TurnResult> document in run.Turns.GroupBy(turn => turn.Document))
        {
            recall.Add(
                run.Scenario.ContextTokens, [.. document.Select(turn => reference[(turn.Session, turn.Turn)])], [.. document.Select(turn => turn.Right)]);
        }
        return recall;
    }
}
