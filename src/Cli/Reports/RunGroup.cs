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

    /// <summary>A rung over all seeds; null: no run has it.</summary>
    public RungSummary? Find(string rung)
    {
        RungEvaluation[] seeds = [.. Runs.SelectMany(run => run.Result.Rungs).Where(entry => entry.Rung == rung)];
        return seeds.Length > 0 ? new RungSummary(rung, seeds) : null;
    }
}
