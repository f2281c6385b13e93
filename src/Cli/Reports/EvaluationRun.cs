using System.Text.Json;
using Concertina.Cli.Benches;
using Concertina.Cli.Evaluation;

namespace Concertina.Cli.Reports;

/// <summary>One result file of <c>concertina eval</c>.</summary>
/// <param name="Name">File name without its ending.</param>
/// <param name="Result">What it holds.</param>
internal sealed record EvaluationRun(string Name, EvaluationResult Result)
{
    private const string SeedMark = "-seed";

    /// <summary>The name without its seed: runs that differ in nothing else share it.</summary>
    public string Group
    {
        get
        {
            int mark = Name.LastIndexOf(SeedMark, StringComparison.Ordinal);
            return mark > 0 && int.TryParse(Name.AsSpan(mark + SeedMark.Length), out _) ? Name[..mark] : Name;
        }
    }

    /// <summary>Reads <c>eval-*.json</c> of a folder, by name.</summary>
    /// <exception cref="CliException">The folder or a file cannot be read, or there is no such file.</exception>
    public static IReadOnlyList<EvaluationRun> ReadAll(string folder)
    {
        try
        {
            EvaluationRun[] runs = [.. Directory.EnumerateFiles(folder, "eval-*.json").Order(StringComparer.Ordinal).Select(Read)];
            return runs.Length > 0
                ? runs
                : throw new CliException(ExitCode.Usage, $"There is no eval-<something>.json in {folder}; concertina eval --json makes one.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    private static EvaluationRun Read(string file)
    {
        try
        {
            EvaluationResult? result = JsonSerializer.Deserialize(File.ReadAllText(file), ResultJson.Default.EvaluationResult);
            return result is not null
                ? new EvaluationRun(Path.GetFileNameWithoutExtension(file), result)
                : throw new CliException(ExitCode.Usage, $"{file} holds no result.");
        }
        catch (JsonException problem)
        {
            throw new CliException(ExitCode.Usage, $"{file} is no result of concertina eval: {problem.Message}");
        }
    }
}
