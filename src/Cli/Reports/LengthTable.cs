using Concertina.Cli.Evaluation;
using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Reports;

/// <summary>Recall of one run by the length of the documents asked about.</summary>
internal static class LengthTable
{
    /// <summary>Lines of the table; none where recall was not asked by length.</summary>
    public static IEnumerable<string> Of(EvaluationResult result) => result.Rungs[0].RecallByLength is not { Count: > 0 } lengths
        ? []
        :
        [
            "Recall % (and points against lossless) by tokens of the document:",
            "",
            .. Figures.Head(["rung", .. lengths.Select(at => $"{Figures.Count(at.Length)} ({Figures.Count(at.Asked)} asked)")]),
            .. result.Rungs.Where(rung => rung.RecallByLength is not null).Select(Row),
            "",
        ];

    private static string Row(RungEvaluation rung) => Figures.Row(
        [$"`{rung.Rung}`", .. rung.RecallByLength!.Select(at => $"{Figures.Percent(at.Recall)} ({Figures.Points(at.RecallDelta)})")]);
}
