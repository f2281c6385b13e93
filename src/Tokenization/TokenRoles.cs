namespace Concertina.Tokenization;

/// <summary>Which tokens a text may name. Files are not reliable about it: some give the end of a turn the type of an
/// ordinary added word, and a message that contains the word would then end its own turn.</summary>
internal static class TokenRoles
{
    /// <summary>The description with the types that its ids call for. The begin, end and end-of-turn ids are control
    /// tokens whatever their type; a padding id that is no text is one too; an unknown id is never a literal text.
    /// A padding or unknown id of a type that merging reaches stays text: some files name '!' as their padding.</summary>
    public static TokenizerSpec Resolve(TokenizerSpec spec)
    {
        TokenKind[] kinds = [.. spec.Types];
        if (spec.Pad is { } pad && kinds[pad] is TokenKind.UserDefined or TokenKind.Unused)
        {
            kinds[pad] = TokenKind.Control;
        }

        if (spec.Unknown is { } unknown && kinds[unknown] == TokenKind.UserDefined)
        {
            kinds[unknown] = TokenKind.Unknown;
        }

        foreach (int id in new[] { spec.Bos, spec.Eos, spec.Eot }.OfType<int>())
        {
            kinds[id] = TokenKind.Control;
        }

        return spec with { Types = kinds };
    }

    /// <summary>Whether a token is taken whole only where the text is trusted.</summary>
    /// <param name="spec">A description with resolved types.</param>
    /// <param name="id">A token of it.</param>
    public static bool NeedsTrust(TokenizerSpec spec, int id) =>
        spec.Types[id] != TokenKind.UserDefined || IsMark(spec.Tokens[id], spec.ChatTemplate ?? "");

    // A user-defined token is a mark of the chat if the template writes it or if it is spelled as marks that templates put
    // together from parts ('<|' + role + '|>'). White space is text even though templates write it too. A plain word that
    // a template happens to contain loses only its whole id inside messages; its text is encoded by merging all the same.
    private static bool IsMark(string token, string template)
    {
        string mark = token.Trim();
        return mark.Length > 0
            && (mark.StartsWith("<|", StringComparison.Ordinal)
                || mark.StartsWith("<｜", StringComparison.Ordinal)
                || template.Contains(mark, StringComparison.Ordinal));
    }
}
