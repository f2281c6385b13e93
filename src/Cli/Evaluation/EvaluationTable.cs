using System.Globalization;
using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Evaluation;

/// <summary>The result as a table for the terminal.</summary>
internal static class EvaluationTable
{
    /// <summary>Prints it.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="rungs">Rungs, lossless first.</param>
    /// <param name="comparedTokens">Tokens compared.</param>
    /// <param name="questions">Questions asked.</param>
    public static void Print(string model, IReadOnlyList<RungEvaluation> rungs, int comparedTokens, int questions)
    {
        Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"{model}: {comparedTokens} tokens compared, {questions} questions asked on each rung"));
        Screen.Line("rung            ratio  bytes/token   mean KL    p99 KL  perplexity  top-1   recall  against lossless (95 %)   attend  encode ns");
        foreach (RungEvaluation rung in rungs)
        {
            string recall = rung.Recall is { } share
                ? string.Create(CultureInfo.InvariantCulture,
                    $"{100 * share,6:F1} %  {100 * rung.RecallDelta!.Value,+6:F1} ({100 * rung.RecallCi95![0]:F1} to {100 * rung.RecallCi95[1]:F1})")
                : "       -                         ";
            Screen.Line(string.Create(CultureInfo.InvariantCulture,
                $"{rung.Rung,-14} {rung.Ratio,6:F2}  {rung.BytesPerToken,11:F1}  {rung.MeanKl,8:G3}  {rung.P99Kl,8:G3}  {rung.Perplexity,10:F3}  {100 * rung.Top1Agreement,5:F1}  {recall,-34}  {rung.AttendNs,6:F1}  {rung.EncodeNs,8:F0}"));
        }
        ByLength(rungs);
    }

    private static void ByLength(IReadOnlyList<RungEvaluation> rungs)
    {
        if (rungs[0].RecallByLength is not { Count: > 0 } lengths)
        {
            return;
        }
        Screen.Line("recall % by tokens of the document" + string.Concat(lengths.Select(at => $"{at.Length,9}")));
        foreach (RungEvaluation rung in rungs)
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{rung.Rung,-34}")
                + string.Concat(rung.RecallByLength!.Select(at => string.Create(CultureInfo.InvariantCulture, $"{100 * at.Recall,9:F1}"))));
        }
    }
}
