using System.Globalization;
using Concertina.Cli.Benches.Cache;

namespace Concertina.Cli.Reports.Sections;

/// <summary>Predicted against measured divergence of sessions on mixed rungs.</summary>
internal static class DistortionSection
{
    /// <summary>Lines of the section; none without results.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<BenchRun<DistortionFile>> runs)
    {
        List<string> lines = [];
        foreach (BenchRun<DistortionFile> run in runs)
        {
            lines.AddRange(lines.Count == 0
                ?
                [
                    "## Predicted and measured divergence", "",
                    "A session whose units are on several rungs is predicted to diverge by a power mean of the rungs' own divergences, weighted by the",
                    "share of its units on each, old ones less; what the rungs that evict diverge by is added, by their shares at any age. The rule is fitted",
                    "to those of the first half of the plans that diverge by at least 0.003 nats per token, and judged on the other half: rank correlation over",
                    "all of it, factors over plans of at least 0.003 nats. The rule in use has scale 1, so that it agrees with the ladder for sessions on one",
                    "rung; its factor includes what the ladder, which was measured on another text, is off by on this one.", "",
                ]
                : []);
            lines.AddRange(Of(run));
        }
        return lines;
    }

    private static IEnumerable<string> Of(BenchRun<DistortionFile> run)
    {
        DistortionFile result = run.Result;
        return
        [
            $"### `{run.Name}.json`: {result.Plans.Count} plans, {result.Model}", "",
            $"- `{result.Command}`",
            $"- commit `{result.Commit}`; {result.Hardware}; {result.Runtime}",
            $"- each plan on {result.Texts} texts of {Figures.Count(result.Tokens)} tokens, the last {Figures.Count(result.ComparedTokens)} of each compared",
            string.Create(CultureInfo.InvariantCulture, $"- fitted: power {result.FittedPower}, decay {result.FittedDecay}, scale {result.FittedScale}"),
            "",
            .. Figures.Head("rule", "plans", "rank correlation", "plans of at least 0.003 nats", "worst factor of those"),
            Row("fitted", result.Fitted),
            Row("in use", result.Used),
            "",
        ];
    }

    private static string Row(string rule, DistortionFit fit) => Figures.Row(
        rule, Figures.Count(fit.Plans), Figures.Perplexity(fit.RankCorrelation), Figures.Count(fit.Large), Figures.Ratio(fit.WorstFactor) + "x");
}
