using System.Globalization;
using Concertina.Cli.Evaluation;

namespace Concertina.Cli.Calibrating;

/// <summary>The texts of a calibration, cut in the middle: what is trained on is never measured on.</summary>
/// <param name="Training">Windows that are trained on.</param>
/// <param name="Measured">Windows that rungs are measured on.</param>
internal sealed record CalibrationTexts(IReadOnlyList<int[]> Training, IReadOnlyList<int[]> Measured)
{
    private const int LongWindow = 8192;

    /// <summary>Reads and cuts.</summary>
    /// <exception cref="CliException">The texts are too short.</exception>
    public static CalibrationTexts Split(EvaluatedModel model, IEnumerable<string> files, int trainingTokens, int measuredTokens)
    {
        int[] tokens = model.Tokens(files);
        int length = Math.Min(LongWindow, model.File.Config.ContextLength);
        ReadOnlySpan<int> first = tokens.AsSpan(0, tokens.Length / 2);
        ReadOnlySpan<int> second = tokens.AsSpan(tokens.Length / 2);
        var texts = new CalibrationTexts(
            model.Windows(first, length, Math.Max(1, trainingTokens / length)), model.Windows(second, length, Math.Max(1, measuredTokens / length)));
        return texts.Training.Count > 0 && texts.Measured.Count > 0
            ? texts
            : throw new CliException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture,
                $"The texts have {tokens.Length} tokens; each half must hold a window of {length}. Name more text."));
    }
}
