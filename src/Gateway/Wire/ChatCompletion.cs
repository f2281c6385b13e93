using System.Text.Json.Serialization;

namespace Concertina.Gateway.Wire;

/// <summary>The whole answer of a request that does not stream.</summary>
internal sealed record ChatCompletion(
    string Id, long Created, string Model, string SystemFingerprint, ChatCompletion.Choice[] Choices, Usage Usage)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "chat.completion";

    public string? ServiceTier { get; }

    internal sealed record Choice(int Index, Message Message, string FinishReason)
    {
        /// <summary>The stop string that matched; absent otherwise.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? StopReason { get; init; }

        public string? Logprobs { get; }
    }

    internal sealed record Message(string Role, string Content)
    {
        public string? Refusal { get; }
    }
}
