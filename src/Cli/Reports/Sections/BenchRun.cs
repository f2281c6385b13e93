using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Concertina.Cli.Reports.Sections;

/// <summary>A result file of a benchmark.</summary>
/// <param name="Name">File name without its ending.</param>
/// <param name="Result">What it holds.</param>
internal sealed record BenchRun<T>(string Name, T Result)
    where T : class
{
    /// <summary>Reads the files of a pattern, by name; there may be none.</summary>
    /// <param name="folder">Folder of results.</param>
    /// <param name="pattern">Pattern of file names.</param>
    /// <param name="type">JSON of the result.</param>
    /// <exception cref="CliException">A file cannot be read or is no such result.</exception>
    public static IReadOnlyList<BenchRun<T>> ReadAll(string folder, string pattern, JsonTypeInfo<T> type)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal).Select(file => Read(file, type))];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    private static BenchRun<T> Read(string file, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), type) is { } result
                ? new BenchRun<T>(Path.GetFileNameWithoutExtension(file), result)
                : throw new CliException(ExitCode.Usage, $"{file} holds no result.");
        }
        catch (JsonException problem)
        {
            throw new CliException(ExitCode.Usage, $"{file} is no result of its benchmark: {problem.Message}");
        }
    }
}
