using Concertina.Cli.Benches.Cache;
using Concertina.Compute.Bench;

namespace Concertina.Cli.Reports.Sections;

/// <summary>Attention and decode steps of rungs, and how fast one becomes another.</summary>
internal static class SpeedSection
{
    /// <summary>Lines of the section; none without results.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<BenchRun<RungSpeedFile>> speeds, IReadOnlyList<BenchRun<TranscodeFile>> transcodes)
    {
        List<string> lines = [];
        if (speeds.Count > 0)
        {
            lines.AddRange(
            [
                "## Speed", "",
                "All rungs of a table take turns in every round of one run; ratios are medians of those within a round. Attention is per",
                "cached token and KV head on one thread; a step is a whole decode step on all cores.", "",
            ]);
            speeds.ToList().ForEach(run => lines.AddRange(Of(run)));
        }
        transcodes.ToList().ForEach(run => lines.AddRange(Of(run)));
        return lines;
    }

    private static IEnumerable<string> Of(BenchRun<RungSpeedFile> run)
    {
        string first = run.Result.Rungs[0].Rung;
        return
        [
            $"### `{run.Name}.json`: {run.Result.Model}", "",
            $"- `{run.Result.Command}`",
            $"- commit `{run.Result.Commit}`; {run.Result.Hardware}; {run.Result.Runtime}; {run.Result.Rounds} rounds; {run.Result.Note}",
            "",
            .. Figures.Head("rung", "streams", "tokens each", "attend ns", $"to `{first}`", "step ms", $"to `{first}`"),
            .. run.Result.Rungs.Select(Row),
            "",
        ];
    }

    private static string Row(RungSpeed speed) => Figures.Row(
        $"`{speed.Rung}`", Figures.Count(speed.Batch), Figures.Count(speed.Depth), Figures.Nanoseconds(speed.AttendNs),
        Figures.Ratio(speed.AttendToFirst) + "x", Figures.Ratio(speed.StepMs), Figures.Ratio(speed.StepToFirst) + "x");

    private static IEnumerable<string> Of(BenchRun<TranscodeFile> run) =>
    [
        $"### `{run.Name}.json`: from rung to rung, {run.Result.Model}", "",
        $"- `{run.Result.Command}`",
        $"- commit `{run.Result.Commit}`; {run.Result.Hardware}; {run.Result.Runtime}; {Figures.Count(run.Result.Tokens)} tokens, one thread",
        "",
        .. Figures.Head("from", "to", "tokens/s", "freed MB/s"),
        .. run.Result.Edges.Select(edge => Figures.Row(
            $"`{edge.From}`", $"`{edge.To}`", Figures.Count(edge.TokensPerSecond), Figures.Count(edge.FreedBytesPerSecond / 1e6))),
        "",
    ];
}
