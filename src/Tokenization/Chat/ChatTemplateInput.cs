using System.Text.Json;

namespace Concertina.Tokenization;

/// <summary>What a chat template is rendered with.</summary>
public sealed record ChatTemplateInput
{
    /// <summary>The conversation, oldest first.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Whether the text ends with the beginning of an answer.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Text of the begin token, or null; counts as written by the template.</summary>
    public string? BosToken { get; init; }

    /// <summary>Text of the end token, or null; counts as written by the template.</summary>
    public string? EosToken { get; init; }

    /// <summary>Tool definitions (a JSON array), or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Further variables, such as a request's <c>chat_template_kwargs</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Variables { get; init; } = new Dictionary<string, JsonElement>();
}
