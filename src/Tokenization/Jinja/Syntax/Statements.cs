namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>A part of a template that writes text or changes variables.</summary>
internal abstract record Statement(Place Place);

/// <summary>Literal text.</summary>
internal sealed record Data(Place Place, string Text) : Statement(Place);

/// <summary><c>{{ expression }}</c>.</summary>
internal sealed record Print(Place Place, Expression Value) : Statement(Place);

/// <summary>One condition after another; the first that holds has its body rendered.</summary>
internal sealed record If(Place Place, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Otherwise)
    : Statement(Place);

/// <summary>A loop.</summary>
internal sealed record For(Place Place, IReadOnlyList<string> Targets, Expression Source, ForBodies Bodies) : Statement(Place);

/// <summary>What a loop renders, and which items it takes.</summary>
internal sealed record ForBodies(Expression? Condition, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Otherwise);

/// <summary><c>set</c> of one or several names, or of an entry of a namespace.</summary>
internal sealed record Set(Place Place, IReadOnlyList<string> Targets, string? Entry, Expression Value) : Statement(Place);

/// <summary><c>set name</c> … <c>endset</c>: the body's text becomes the value.</summary>
internal sealed record SetBlock(Place Place, string Target, IReadOnlyList<(string Id, Arguments Arguments)> Filters, IReadOnlyList<Statement> Body)
    : Statement(Place);

/// <summary>Text of the body after filters.</summary>
internal sealed record FilterBlock(Place Place, IReadOnlyList<(string Id, Arguments Arguments)> Filters, IReadOnlyList<Statement> Body)
    : Statement(Place);

/// <summary>A macro's definition.</summary>
internal sealed record Macro(Place Place, string Id, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body)
    : Statement(Place);

/// <summary>A body that is rendered as it stands (<c>generation</c> marks of training).</summary>
internal sealed record Block(Place Place, IReadOnlyList<Statement> Body) : Statement(Place);

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed record Jump(Place Place, bool IsBreak) : Statement(Place);
