namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Walks over the tokens of a template and bounds how deep the parser nests.</summary>
internal sealed class TokenReader(IReadOnlyList<Token> tokens, int maxDepth)
{
    private int _at;
    private int _depth;

    public Token Current => tokens[_at];

    public Token Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Take()
    {
        Token token = tokens[_at];
        _at = Math.Min(_at + 1, tokens.Count - 1);
        return token;
    }

    public bool IsSymbol(string value) => Current.Type == TokenType.Symbol && Current.Value == value;

    public bool IsName(string value) => Current.Type == TokenType.Name && Current.Value == value;

    public bool TrySymbol(string value) => Try(IsSymbol(value));

    public bool TryName(string value) => Try(IsName(value));

    public Token Expect(TokenType type, string what) => Current.Type == type
        ? Take()
        : throw Current.Place.Error($"expected {what} but found '{Current.Value}'.");

    public void ExpectSymbol(string value)
    {
        if (!TrySymbol(value))
        {
            throw Current.Place.Error($"expected '{value}' but found '{Current.Value}'.");
        }
    }

    /// <summary>Parses one level deeper.</summary>
    public T Nested<T>(Func<T> parse)
    {
        if (++_depth > maxDepth)
        {
            throw Current.Place.Error($"nested deeper than {maxDepth} levels.");
        }

        T result = parse();
        _depth--;
        return result;
    }

    private bool Try(bool matches)
    {
        if (matches)
        {
            Take();
        }

        return matches;
    }
}
