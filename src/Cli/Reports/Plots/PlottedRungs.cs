namespace Concertina.Cli.Reports.Plots;

/// <summary>
/// The rungs that the plots show: of the model with most rungs, each as the mean over the seeds of the group that has it and
/// asked most. Ablations (<c>~mode</c>) and the arms of CommVQ, which lie upon one another, are left to the tables.
/// </summary>
/// <param name="Model">The model.</param>
/// <param name="Rungs">Its rungs, from most bytes to fewest.</param>
internal sealed record PlottedRungs(string Model, IReadOnlyList<RungSummary> Rungs)
{
    /// <summary>Chooses.</summary>
    public static PlottedRungs Of(IReadOnlyList<RunGroup> groups) => (
        from model in groups.GroupBy(runs => runs.Model, StringComparer.Ordinal)
        let names = model.SelectMany(runs => runs.RungNames).Distinct(StringComparer.Ordinal)
        let rungs = names.Select(name => model.OrderByDescending(Asked).Select(runs => runs.Find(name)).First(rung => rung is not null)!)
            .Where(rung => !rung.IsAblation && !IsVectorArm(rung.Name) && rung.BytesPerToken > 0)
            .OrderByDescending(rung => rung.BytesPerToken).ThenBy(rung => rung.MeanKl).ThenBy(rung => rung.Name, StringComparer.Ordinal)
            .ToArray()
        orderby rungs.Length descending, model.Key
        select new PlottedRungs(model.Key, rungs)).First();

    private static int Asked(RunGroup runs) => runs.Runs[0].Result.Questions;

    private static bool IsVectorArm(string rung) => RungFamily.IsArm(rung) && rung.StartsWith("commvq", StringComparison.Ordinal);
}
