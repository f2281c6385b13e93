using System.Text.Json;

namespace Concertina.Tokenization;

/// <summary>One message of a conversation, as a chat template sees it.</summary>
/// <param name="Role">Who speaks: system, user, assistant, tool...</param>
/// <param name="Content">The text, or null where there is none (an answer that only calls tools).</param>
public sealed record ChatMessage(string Role, string? Content)
{
    /// <summary>Further fields such as <c>name</c>, <c>tool_calls</c> or <c>tool_call_id</c>; visible to the template
    /// under their names.</summary>
    public IReadOnlyDictionary<string, JsonElement> Fields { get; init; } = new Dictionary<string, JsonElement>();
}
