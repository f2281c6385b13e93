using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Reports;

/// <summary>Runs that differ in their seed only.</summary>
/// <param name="Name">Common name of the files.</param>
/// <param name="Runs">One per seed.</param>
internal sealed record RunGroup(string Name, IReadOnlyList<EvaluationRun> Runs)
{
    /// <summary>Model of the runs.</summary>
    public string Model => Runs[0].Result.Model;

    /// <summary>Names of the rungs, in the order of the files.</summary>
    public IReadOnlyList<string> RungNames =>
        [.. Runs.SelectMany(run => run.Result.Rungs).Select(rung => rung.Rung).Distinct(StringComparer.Ordinal)];

    /// <summary>Groups by common name, in the order of the runs.</summary>
    public static IReadOnlyList<RunGroup> Of(IEnumerable<EvaluationRun> runs) =>
        [.. runs.GroupBy(run => run.Group, StringComparer.Ordinal).Select(group => new RunGroup(group.Key, [.. group]))];

    /// <summary>
    /// Runs on as much text and as many questions, whose rungs can stand side by side though they are in several files: a seed
    /// takes the same part of both in all of them.
    /// </summary>
    public static IReadOnlyList<RunGroup> OnTheSameText(IReadOnlyList<RunGroup> groups) =>
        [.. groups.SelectMany(group => group.Runs)
            .GroupBy(run => (run.Result.Model, run.Result.ComparedTokens, run.Result.Questions))
            .Select(group => new RunGroup(group.First().Group, [.. group]) { IsPooled = true })];

    /// <summary>Whether the runs are of different rungs, and not of different seeds alone.</summary>
    public bool IsPooled { get; init; }

    /// <summary>Different seeds.</summary>
    public int SeedCount => Runs.Select(run => run.Result.Seed).Distinct().Count();

    /// <summary>A rung over all seeds; null: no run has it.</summary>
    public RungSummary? Find(string rung)
    {
        RungEvaluation[] seeds = [.. Runs.SelectMany(run => run.Result.Rungs).Where(entry => entry.Rung == rung)];
        return seeds.Length > 0 ? new RungSummary(rung, seeds) : null;
    }
}
