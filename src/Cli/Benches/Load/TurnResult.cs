using System.Text.Json.Serialization;

namespace Concertina.Cli.Benches.Load;

/// <summary>One turn as its client saw it.</summary>
internal sealed record TurnResult
{
    /// <summary>Session.</summary>
    public required int Session { get; init; }

    /// <summary>Turn of the session, from 0.</summary>
    public required int Turn { get; init; }

    /// <summary>Document the question is about; questions about one are not independent.</summary>
    public required int Document { get; init; }

    /// <summary>Seconds from the start of the run to the request.</summary>
    public required double SentSeconds { get; init; }

    /// <summary>Seconds from the start of the run to the last text, or to the failure.</summary>
    public required double EndSeconds { get; init; }

    /// <summary>Milliseconds to the first text; null: there was none.</summary>
    public double? TtftMs { get; init; }

    /// <summary>Mean milliseconds between pieces of text; null: fewer than two.</summary>
    public double? ItlMs { get; init; }

    /// <summary>Milliseconds between neighbouring pieces of text; not in the file.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> GapsMs { get; init; } = [];

    /// <summary>Why the stream ended: the API's finish reason; null: it did not end well.</summary>
    public string? Finish { get; init; }

    /// <summary>Deepest rung the answer ran on.</summary>
    public string? Rung { get; init; }

    /// <summary>Prompt tokens the server had cached.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Prompt tokens.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Whether the answer holds the value.</summary>
    public bool Right { get; init; }

    /// <summary>HTTP status when the server refused; null: it did not.</summary>
    public int? RefusedStatus { get; init; }

    /// <summary>What went wrong; null: nothing.</summary>
    public string? Failure { get; init; }

    /// <summary>True when it ended by itself, not cut off, within the limits.</summary>
    public bool IsGood(ServiceLimits limits) =>
        Finish is "stop" && TtftMs <= limits.TtftMs && (ItlMs is not { } between || between <= limits.ItlMs);
}
