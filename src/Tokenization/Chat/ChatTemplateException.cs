namespace Concertina.Tokenization;

/// <summary>A chat template is broken, asks for something it may not have, or refuses the conversation.</summary>
public sealed class ChatTemplateException : Exception
{
    /// <summary>An error at a place of the template.</summary>
    public ChatTemplateException(string problem, int line, int column, bool raisedByTemplate = false)
        : base(raisedByTemplate ? problem : $"Chat template, line {line}, column {column}: {problem}")
    {
        Line = line;
        Column = column;
        RaisedByTemplate = raisedByTemplate;
    }

    internal ChatTemplateException(string problem, int line, int column, Exception cause)
        : base($"Chat template, line {line}, column {column}: {problem}", cause)
    {
        Line = line;
        Column = column;
    }

    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; }

    /// <summary>Column of the template, from 1, in UTF-16 units.</summary>
    public int Column { get; }

    /// <summary>Whether the template itself refused the conversation by <c>raise_exception</c>; the message is then its
    /// words, and the caller's messages are at fault. Otherwise the template is.</summary>
    public bool RaisedByTemplate { get; }
}
