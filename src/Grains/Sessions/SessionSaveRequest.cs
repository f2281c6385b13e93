namespace Concertina.Grains.Sessions;

/// <summary>What a session has become by one request.</summary>
/// <param name="Tokens">All its tokens.</param>
/// <param name="Home">Worker that holds its units.</param>
/// <param name="ModelHash">Model that gave the token ids their meaning.</param>
/// <param name="PromptTokens">Prompt tokens of the request.</param>
/// <param name="GeneratedTokens">Tokens it generated.</param>
internal readonly record struct SessionSaveRequest(int[] Tokens, string Home, string ModelHash, int PromptTokens, int GeneratedTokens)
{
    /// <summary>Deepest rung any of its units is on.</summary>
    public required string Rung { get; init; }
}
