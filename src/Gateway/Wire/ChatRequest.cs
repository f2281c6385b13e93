using System.Text.Json;
using System.Text.Json.Serialization;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Kv;

namespace Concertina.Gateway.Wire;

/// <summary>
/// The body of <c>POST /v1/chat/completions</c> as it is read, before any check of ranges. Fields that only decide
/// whether a request is refused stay in <see cref="Others"/>; unknown ones are ignored there.
/// </summary>
internal sealed record ChatRequest
{
    public string? Model { get; init; }

    /// <summary>Read by <see cref="MessageReader"/>, which names the place of a mistake.</summary>
    public JsonElement Messages { get; init; }

    /// <summary>Wins over <see cref="MaxTokens"/>.</summary>
    public long? MaxCompletionTokens { get; init; }

    public long? MaxTokens { get; init; }

    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public long? TopK { get; init; }

    public double? MinP { get; init; }

    public long? Seed { get; init; }

    public long? N { get; init; }

    public double? PresencePenalty { get; init; }

    public double? FrequencyPenalty { get; init; }

    public double? RepetitionPenalty { get; init; }

    public bool? Logprobs { get; init; }

    public long? TopLogprobs { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    /// <summary>A string or an array of strings.</summary>
    public JsonElement Stop { get; init; }

    public int[]? StopTokenIds { get; init; }

    public bool? IgnoreEos { get; init; }

    public bool? IncludeStopStrInOutput { get; init; }

    public bool? AddGenerationPrompt { get; init; }

    public string? SessionId { get; init; }

    public string? CacheSalt { get; init; }

    /// <summary>Read by <see cref="KvReader"/> together with the headers of the same meaning.</summary>
    public JsonElement Kv { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}
