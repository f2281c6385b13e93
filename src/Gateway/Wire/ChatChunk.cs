using System.Text.Json.Serialization;

namespace Concertina.Gateway.Wire;

/// <summary>One event of a streamed answer.</summary>
internal sealed record ChatChunk(string Id, long Created, string Model, string SystemFingerprint, ChatChunk.Part[] Choices)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "chat.completion.chunk";

    /// <summary>In the last event alone, and only if asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }

    internal sealed record Part(int Index, Delta Delta, string? FinishReason)
    {
        /// <summary>The stop string that matched; absent otherwise.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? StopReason { get; init; }

        public string? Logprobs { get; }
    }

    internal sealed record Delta
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Role { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Content { get; init; }
    }
}
