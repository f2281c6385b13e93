using System.Text.Json.Serialization;

namespace Concertina.Gateway.Wire;

/// <summary>What a request used, and what it ran on.</summary>
internal sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, Usage.PromptDetails PromptTokensDetails)
{
    public CompletionDetails CompletionTokensDetails { get; } = new(0);

    /// <summary>Absent where the generation ended before it said so.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KvUsage? Kv { get; init; }

    internal sealed record PromptDetails(int CachedTokens);

    internal sealed record CompletionDetails(int ReasoningTokens);
}
