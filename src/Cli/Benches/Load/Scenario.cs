using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Concertina.Cli.Benches.Load;

/// <summary>A load: who comes when, with what, and what counts as served well. The same file and seed give the same load.</summary>
// What may be left out has a setter: the generated reader would overwrite defaults of init-only members.
internal sealed record Scenario
{
    /// <summary>Name, for reports.</summary>
    [Required]
    public required string Name { get; init; }

    /// <summary>Seed of arrivals, documents and think times.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Lossless bytes of all sessions at their longest document, divided by the KV budget; the budget follows from it.</summary>
    [Range(0.05, 100, ErrorMessage = "demand must be between 0.05 and 100.")]
    public required double Demand { get; init; }

    /// <summary>Sessions; each is kept to the end, as conversations are.</summary>
    [Range(1, 10_000, ErrorMessage = "sessions must be between 1 and 10000.")]
    public required int Sessions { get; init; }

    /// <summary>Nominal tokens of each session's document: one of the lengths the recall set has.</summary>
    [Range(1, 1 << 20, ErrorMessage = "contextTokens must be between 1 and 1048576.")]
    public required int ContextTokens { get; init; }

    /// <summary>Share of the sessions that talk about a document another session has, 0 to 1: shared prefixes.</summary>
    [Range(0.0, 1.0, ErrorMessage = "sharedPrefix must be between 0 and 1.")]
    public double SharedPrefix { get; set; }

    /// <summary>Questions each session asks, one a turn, the conversation so far before each.</summary>
    [Range(1, 20, ErrorMessage = "turns must be between 1 and 20.")]
    public required int Turns { get; init; }

    /// <summary>Most tokens of an answer.</summary>
    [Range(1, 4096, ErrorMessage = "maxNewTokens must be between 1 and 4096.")]
    public int MaxNewTokens { get; set; } = 24;

    /// <summary>Mean seconds between an answer and the next question of its session; exponentially distributed.</summary>
    [Range(0.0, 86_400, ErrorMessage = "thinkSeconds must be between 0 and 86400.")]
    public double ThinkSeconds { get; set; } = 10;

    /// <summary>When sessions begin.</summary>
    public required ArrivalRule Arrivals { get; init; }

    /// <summary>What a turn has to keep to count as good.</summary>
    public required ServiceLimits Limits { get; init; }

    /// <summary>Reads a scenario.</summary>
    /// <exception cref="CliException">The file is missing, is no scenario, has a field that scenarios lack, or a value out of range.</exception>
    public static Scenario Read(string file)
    {
        try
        {
            Scenario scenario = JsonSerializer.Deserialize(File.ReadAllText(file), ScenarioJson.Default.Scenario)
                ?? throw new CliException(ExitCode.Usage, $"{file} holds no scenario.");
            List<ValidationResult> problems = [];
            Check(scenario, problems);
            Check(scenario.Arrivals, problems);
            Check(scenario.Limits, problems);
            return problems.Count == 0 ? scenario : throw new CliException(ExitCode.Usage, $"{file}: {string.Join(" ", problems)}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CliException(ExitCode.Usage, $"{file} cannot be read as a scenario: {problem.Message}");
        }
    }

    private static void Check(object part, List<ValidationResult> problems) =>
        Validator.TryValidateObject(part, new ValidationContext(part), problems, validateAllProperties: true);
}

/// <summary>When sessions begin: at random with a rate, or so many at once every so often.</summary>
internal sealed record ArrivalRule
{
    /// <summary><c>poisson</c> or <c>burst</c>.</summary>
    [RegularExpression("poisson|burst", ErrorMessage = "arrivals.kind must be poisson or burst.")]
    public required string Kind { get; init; }

    /// <summary>Poisson: sessions a second.</summary>
    [Range(0.0001, 10_000, ErrorMessage = "arrivals.perSecond must be between 0.0001 and 10000.")]
    public double PerSecond { get; set; } = 1;

    /// <summary>Burst: sessions at once.</summary>
    [Range(1, 10_000, ErrorMessage = "arrivals.size must be between 1 and 10000.")]
    public int Size { get; set; } = 1;

    /// <summary>Burst: seconds between two.</summary>
    [Range(0.0, 86_400, ErrorMessage = "arrivals.everySeconds must be between 0 and 86400.")]
    public double EverySeconds { get; set; } = 1;
}

/// <summary>What a turn has to keep to count as good.</summary>
internal sealed record ServiceLimits
{
    /// <summary>Most milliseconds from the request to the first text.</summary>
    [Range(1, 1e7, ErrorMessage = "limits.ttftMs must be between 1 and 10000000.")]
    public required double TtftMs { get; init; }

    /// <summary>Most milliseconds between two pieces of text, on average over the turn.</summary>
    [Range(1, 1e7, ErrorMessage = "limits.itlMs must be between 1 and 10000000.")]
    public required double ItlMs { get; init; }
}

/// <summary>JSON of scenarios.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(Scenario))]
internal sealed partial class ScenarioJson : JsonSerializerContext;
