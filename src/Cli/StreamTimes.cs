namespace Concertina.Cli;

/// <summary>One streamed answer as its reader saw it.</summary>
/// <param name="AtMs">Milliseconds from the request to each piece of text.</param>
/// <param name="PromptTokens">Prompt tokens by the server's count.</param>
/// <param name="GeneratedTokens">Generated tokens by the server's count.</param>
/// <param name="Failure">Status and message when it failed; else null.</param>
internal sealed record StreamTimes(IReadOnlyList<double> AtMs, int PromptTokens, int GeneratedTokens, string? Failure)
{
    public static StreamTimes Failed(string why) => new([], 0, 0, why);

    /// <summary>Milliseconds between neighbouring pieces.</summary>
    public IEnumerable<double> GapsMs => AtMs.Zip(AtMs.Skip(1), (before, after) => after - before);
}
