namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>An expression of a template.</summary>
internal abstract record Expression(Place Place);

/// <summary>A literal value.</summary>
internal sealed record Literal(Place Place, object? Value) : Expression(Place);

/// <summary>A variable.</summary>
internal sealed record Name(Place Place, string Id) : Expression(Place);

/// <summary>A list or tuple.</summary>
internal sealed record ListLiteral(Place Place, IReadOnlyList<Expression> Items) : Expression(Place);

/// <summary>A mapping.</summary>
internal sealed record MapLiteral(Place Place, IReadOnlyList<(Expression Key, Expression Value)> Entries) : Expression(Place);

/// <summary><c>subject.name</c>: methods first, then entries.</summary>
internal sealed record Attribute(Place Place, Expression Subject, string Id) : Expression(Place);

/// <summary><c>subject[key]</c>: entries first, then methods.</summary>
internal sealed record Item(Place Place, Expression Subject, Expression Key) : Expression(Place);

/// <summary><c>subject[from:to:step]</c>.</summary>
internal sealed record Slice(Place Place, Expression Subject, SliceBounds Bounds) : Expression(Place);

/// <summary>The three parts of a slice, each of which may be absent.</summary>
internal sealed record SliceBounds(Expression? From, Expression? To, Expression? Step);

/// <summary>Arguments as written.</summary>
internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static readonly Arguments None = new([], []);
}

/// <summary>A call.</summary>
internal sealed record Call(Place Place, Expression Callee, Arguments Arguments) : Expression(Place);

/// <summary><c>subject | filter(arguments)</c>.</summary>
internal sealed record Filter(Place Place, Expression Subject, string Id, Arguments Arguments) : Expression(Place);

/// <summary><c>subject is test(arguments)</c>.</summary>
internal sealed record Test(Place Place, Expression Subject, string Id, Arguments Arguments) : Expression(Place);

/// <summary><c>-x</c>, <c>+x</c> or <c>not x</c>.</summary>
internal sealed record Unary(Place Place, string Symbol, Expression Operand) : Expression(Place);

/// <summary>Arithmetic, joining, <c>and</c>, <c>or</c>.</summary>
internal sealed record Binary(Place Place, string Symbol, Expression Left, Expression Right) : Expression(Place);

/// <summary><c>a &lt; b &lt;= c</c>: every neighbouring pair must hold.</summary>
internal sealed record Comparison(Place Place, Expression First, IReadOnlyList<(string Symbol, Expression Operand)> Rest) : Expression(Place);

/// <summary><c>then if condition else otherwise</c>.</summary>
internal sealed record Conditional(Place Place, Expression Condition, Expression Then, Expression? Otherwise) : Expression(Place);
