namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>A place in a template: line and column from 1.</summary>
internal readonly record struct Place(int Line, int Column)
{
    public ChatTemplateException Error(string problem) => new(problem, Line, Column);

    public ChatTemplateException Error(string problem, Exception cause) => new(problem, Line, Column, cause);
}

/// <summary>What a token is.</summary>
internal enum TokenType
{
    Data,
    OpenPrint,
    ClosePrint,
    OpenBlock,
    CloseBlock,
    Name,
    Text,
    Whole,
    Real,
    Symbol,
    End,
}

/// <summary>One token of a template.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Value">Literal text, name, digits or symbol.</param>
/// <param name="Place">Where it begins.</param>
internal readonly record struct Token(TokenType Type, string Value, Place Place);
