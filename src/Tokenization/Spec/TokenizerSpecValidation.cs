namespace Concertina.Tokenization;

/// <summary>The rules a <see cref="TokenizerSpec"/> must keep before anything is built from it.</summary>
internal static class TokenizerSpecValidation
{
    /// <summary>Largest vocabulary accepted; the largest published ones have about 260,000.</summary>
    public const int MaxTokens = 1 << 22;

    /// <summary>Largest merge list accepted.</summary>
    public const int MaxMerges = 1 << 23;

    /// <summary>Longest token text accepted, in UTF-16 units.</summary>
    public const int MaxTokenChars = 4096;

    public static void Check(TokenizerSpec spec)
    {
        CheckCounts(spec);
        CheckTokens(spec);
        CheckId(spec, "bos", spec.Bos);
        CheckId(spec, "eos", spec.Eos);
        CheckId(spec, "eot", spec.Eot);
        CheckId(spec, "pad", spec.Pad);
        CheckId(spec, "unknown", spec.Unknown);
        if (spec.AddBos && spec.Bos is null)
        {
            throw new TokenizerSpecException("addBos", "it is true but 'bos' is null. Name the begin token or set it to false.");
        }

        if (spec.AddEos && spec.Eos is null)
        {
            throw new TokenizerSpecException("addEos", "it is true but 'eos' is null. Name the end token or set it to false.");
        }
    }

    private static void CheckCounts(TokenizerSpec spec)
    {
        int tokens = spec.Tokens.Count;
        if (tokens is 0 or > MaxTokens)
        {
            throw new TokenizerSpecException("tokens", $"{tokens:N0} entries; expected 1 to {MaxTokens:N0}.");
        }

        if (spec.Types.Count != tokens)
        {
            throw new TokenizerSpecException("types", $"{spec.Types.Count:N0} entries for {tokens:N0} tokens; expected one each.");
        }

        if (spec.Scores is { } scores && scores.Count != tokens)
        {
            throw new TokenizerSpecException("scores", $"{scores.Count:N0} entries for {tokens:N0} tokens; expected one each.");
        }

        if (spec.Merges.Count > MaxMerges)
        {
            throw new TokenizerSpecException("merges", $"{spec.Merges.Count:N0} entries; expected at most {MaxMerges:N0}.");
        }
    }

    private static void CheckTokens(TokenizerSpec spec)
    {
        for (int id = 0; id < spec.Tokens.Count; id++)
        {
            if (spec.Tokens[id].Length > MaxTokenChars)
            {
                throw new TokenizerSpecException(
                    "tokens", $"token {id} has {spec.Tokens[id].Length:N0} characters; expected at most {MaxTokenChars:N0}.");
            }

            if (!Enum.IsDefined(spec.Types[id]))
            {
                throw new TokenizerSpecException("types", $"token {id} has type {(int)spec.Types[id]}; expected 0 to 6.");
            }
        }
    }

    private static void CheckId(TokenizerSpec spec, string field, int? id)
    {
        if (id is { } value && (value < 0 || value >= spec.Tokens.Count))
        {
            throw new TokenizerSpecException(
                field, $"id {value} is outside the vocabulary; expected 0 to {spec.Tokens.Count - 1} or null.");
        }
    }
}
