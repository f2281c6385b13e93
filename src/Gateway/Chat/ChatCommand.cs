using Concertina.Contracts.Sessions;
using Concertina.Gateway.Kv;
using Concertina.Tokenization;

namespace Concertina.Gateway.Chat;

/// <summary>A chat request in which every value has been checked.</summary>
internal sealed record ChatCommand
{
    /// <summary>The conversation, at least one message.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Whether the prompt ends with the opening of an assistant turn.</summary>
    public required bool AddGenerationPrompt { get; init; }

    /// <summary>How tokens are drawn; a missing seed has been drawn.</summary>
    public required SamplingSettings Sampling { get; init; }

    /// <summary>Most tokens to generate, at least 1; null: open.</summary>
    public required long? MaxTokens { get; init; }

    /// <summary>Refuse instead of cap when the limit passes the context.</summary>
    public required bool StrictMaxTokens { get; init; }

    /// <summary>Strings that end the answer, none empty.</summary>
    public required IReadOnlyList<string> Stop { get; init; }

    /// <summary>Token ids that end the answer, besides the model's own.</summary>
    public required IReadOnlyList<int> StopTokens { get; init; }

    /// <summary>Whether the model's end-of-sequence ids are only tokens like others.</summary>
    public required bool IgnoreEos { get; init; }

    /// <summary>Whether a matched stop string stays in the text.</summary>
    public required bool IncludeStop { get; init; }

    /// <summary>Session name within the tenant; null: none.</summary>
    public required string? Session { get; init; }

    /// <summary>Narrows prefix sharing within the tenant; null: the whole tenant.</summary>
    public required string? CacheSalt { get; init; }

    /// <summary>What may happen to the KV cache.</summary>
    public required KvWishes Kv { get; init; }

    /// <summary>Whether the answer streams.</summary>
    public required bool Stream { get; init; }

    /// <summary>Whether the stream ends with usage.</summary>
    public required bool IncludeUsage { get; init; }
}
