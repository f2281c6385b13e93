namespace Concertina.Cli;

/// <summary>One streamed answer as its reader saw it.</summary>
/// <param name="AtMs">Milliseconds from the request to each piece of text.</param>
/// <param name="PromptTokens">Prompt tokens by the server's count.</param>
/// <param name="GeneratedTokens">Generated tokens by the server's count.</param>
/// <param name="Failure">Status and message when it failed; else null.</param>
internal sealed record StreamTimes(IReadOnlyList<double> AtMs, int PromptTokens, int GeneratedTokens, string? Failure)
{
    /// <summary>The text.</summary>
    public string Text { get; init; } = "";

    /// <summary>Finish reason; null: none was given.</summary>
    public string? Finish { get; init; }

    /// <summary>Deepest rung it ran on; null: not told.</summary>
    public string? Rung { get; init; }

    /// <summary>Prompt tokens that were cached.</summary>
    public int CachedTokens { get; init; }

    /// <summary>HTTP status of a refusal; null: it was not refused.</summary>
    public int? RefusedStatus { get; init; }

    public static StreamTimes Failed(string why) => new([], 0, 0, why);

    /// <summary>Milliseconds between neighbouring pieces.</summary>
    public IEnumerable<double> GapsMs => AtMs.Zip(AtMs.Skip(1), (before, after) => after - before);
}
