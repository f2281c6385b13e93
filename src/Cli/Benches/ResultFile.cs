using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Concertina.Cli.Benches.Cache;
using Concertina.Cli.Benches.Load;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Recall;

namespace Concertina.Cli.Benches;

/// <summary>Writes results as indented JSON; each run replaces its file.</summary>
internal static class ResultFile
{
    /// <summary>Writes a result, or prints it when no file was named.</summary>
    public static void Write<T>(string? file, T result, JsonTypeInfo<T> type)
    {
        string json = JsonSerializer.Serialize(result, type);
        if (file is null)
        {
            Screen.Line(json);
            return;
        }
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            File.WriteAllText(file, json + "\n");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failure, $"The result cannot be written to {file}: {problem.Message}");
        }
        Screen.Line($"written to {file}");
    }
}

/// <summary>JSON of the results.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BenchResult))]
[JsonSerializable(typeof(CapacityFile))]
[JsonSerializable(typeof(RecallResult))]
[JsonSerializable(typeof(EvaluationResult))]
[JsonSerializable(typeof(TranscodeFile))]
[JsonSerializable(typeof(RungSpeedFile))]
[JsonSerializable(typeof(DistortionFile))]
[JsonSerializable(typeof(LoadResult))]
[JsonSerializable(typeof(ElasticFile))]
internal sealed partial class ResultJson : JsonSerializerContext;
