using System.Globalization;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Parses expressions, loosest operators first: conditional, or, and, not, comparison, + -, ~, * / // %, **,
/// sign, then calls, entries, filters and tests.</summary>
internal sealed class ExpressionParser(TokenReader reader)
{
    /// <summary>An expression, or a tuple without parentheses.</summary>
    public Expression ParseTuple(bool withConditional)
    {
        Place place = reader.Current.Place;
        Expression first = withConditional ? Parse() : ParseOr();
        if (!reader.IsSymbol(","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (reader.TrySymbol(",") && !EndsExpression())
        {
            items.Add(withConditional ? Parse() : ParseOr());
        }

        return new ListLiteral(place, items);
    }

    /// <summary>One expression.</summary>
    public Expression Parse() => reader.Nested(ParseConditional);

    /// <summary>An expression in which <c>if</c> does not begin a conditional (a loop's source).</summary>
    public Expression ParseOr() => Chain(ParseAnd, "or");

    public Arguments ParseArguments()
    {
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        reader.ExpectSymbol("(");
        while (!reader.TrySymbol(")"))
        {
            if (reader.Current.Type == TokenType.Name && reader.Ahead is { Type: TokenType.Symbol, Value: "=" })
            {
                string name = reader.Take().Value;
                reader.ExpectSymbol("=");
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }

            if (!reader.IsSymbol(")"))
            {
                reader.ExpectSymbol(",");
            }
        }

        return new Arguments(positional, named);
    }

    /// <summary>Filters without a subject, as in <c>filter trim | upper</c>; the first '|' was taken.</summary>
    public List<(string Id, Arguments Arguments)> ParseFilterChain()
    {
        List<(string Id, Arguments Arguments)> filters = [];
        do
        {
            string id = reader.Expect(TokenType.Name, "a filter's name").Value;
            filters.Add((id, reader.IsSymbol("(") ? ParseArguments() : Arguments.None));
        }
        while (reader.TrySymbol("|"));
        return filters;
    }

    private Expression ParseConditional()
    {
        Expression value = ParseOr();
        while (reader.IsName("if"))
        {
            Place place = reader.Take().Place;
            Expression condition = ParseOr();
            Expression? otherwise = reader.TryName("else") ? Parse() : null;
            value = new Conditional(place, condition, value, otherwise);
        }

        return value;
    }

    private Expression ParseAnd() => Chain(ParseNot, "and");

    private Expression Chain(Func<Expression> operand, string name)
    {
        Expression left = operand();
        while (reader.IsName(name))
        {
            Place place = reader.Take().Place;
            left = new Binary(place, name, left, operand());
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!reader.IsName("not"))
        {
            return ParseComparison();
        }

        Place place = reader.Take().Place;
        return new Unary(place, "not", reader.Nested(ParseNot));
    }

    private Expression ParseComparison()
    {
        Place place = reader.Current.Place;
        Expression first = ParseSum();
        List<(string Symbol, Expression Operand)> rest = [];
        while (TryComparison(out string symbol))
        {
            rest.Add((symbol, ParseSum()));
        }

        return rest.Count == 0 ? first : new Comparison(place, first, rest);
    }

    private bool TryComparison(out string symbol)
    {
        symbol = reader.Current.Value;
        if (reader.Current.Type == TokenType.Symbol && symbol is "==" or "!=" or "<" or "<=" or ">" or ">=")
        {
            reader.Take();
            return true;
        }

        if (reader.IsName("not") && reader.Ahead is { Type: TokenType.Name, Value: "in" })
        {
            reader.Take();
            reader.Take();
            symbol = "not in";
            return true;
        }

        return reader.TryName("in");
    }

    private Expression ParseSum() => Operators(ParseJoin, "+", "-");

    private Expression ParseJoin() => Operators(ParseProduct, "~");

    private Expression ParseProduct() => Operators(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => Operators(() => ParseSign(withFilters: true), "**");

    private Expression Operators(Func<Expression> operand, params ReadOnlySpan<string> symbols)
    {
        Expression left = operand();
        while (reader.Current.Type == TokenType.Symbol && symbols.Contains(reader.Current.Value))
        {
            Token symbol = reader.Take();
            left = new Binary(symbol.Place, symbol.Value, left, operand());
        }

        return left;
    }

    private Expression ParseSign(bool withFilters)
    {
        Expression value;
        if (reader.IsSymbol("-") || reader.IsSymbol("+"))
        {
            Token sign = reader.Take();
            value = new Unary(sign.Place, sign.Value, reader.Nested(() => ParseSign(withFilters: false)));
        }
        else
        {
            value = ParsePrimary();
        }

        value = ParsePostfix(value);
        return withFilters ? ParseFilters(value) : value;
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            Token token = reader.Current;
            if (reader.TrySymbol("."))
            {
                value = reader.Current.Type == TokenType.Whole
                    ? new Item(token.Place, value, new Literal(token.Place, WholeOf(reader.Take())))
                    : new Attribute(token.Place, value, reader.Expect(TokenType.Name, "a name after '.'").Value);
            }
            else if (reader.TrySymbol("["))
            {
                value = ParseSubscript(token.Place, value);
            }
            else if (reader.IsSymbol("("))
            {
                value = new Call(token.Place, value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseFilters(Expression value)
    {
        while (true)
        {
            Place place = reader.Current.Place;
            if (reader.TrySymbol("|"))
            {
                string id = reader.Expect(TokenType.Name, "a filter's name").Value;
                value = new Filter(place, value, id, reader.IsSymbol("(") ? ParseArguments() : Arguments.None);
            }
            else if (reader.TryName("is"))
            {
                value = ParseTest(place, value);
            }
            else if (reader.IsSymbol("("))
            {
                value = new Call(place, value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression ParseTest(Place place, Expression value)
    {
        bool negated = reader.TryName("not");
        string id = reader.Expect(TokenType.Name, "a test's name").Value;
        Arguments arguments = Arguments.None;
        if (reader.IsSymbol("("))
        {
            arguments = ParseArguments();
        }
        else if (BeginsOperand())
        {
            arguments = new Arguments([ParsePostfix(ParsePrimary())], []);
        }

        Test test = new(place, value, id, arguments);
        return negated ? new Unary(place, "not", test) : test;
    }

    private bool BeginsOperand() => reader.Current.Type switch
    {
        TokenType.Name => reader.Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        TokenType.Text or TokenType.Whole or TokenType.Real => true,
        TokenType.Symbol => reader.Current.Value is "[" or "{",
        _ => false,
    };

    private Expression ParseSubscript(Place place, Expression subject)
    {
        Expression? from = reader.IsSymbol(":") ? null : Parse();
        if (!reader.TrySymbol(":"))
        {
            reader.ExpectSymbol("]");
            return new Item(place, subject, from!);
        }

        Expression? to = reader.IsSymbol(":") || reader.IsSymbol("]") ? null : Parse();
        Expression? step = reader.TrySymbol(":") && !reader.IsSymbol("]") ? Parse() : null;
        reader.ExpectSymbol("]");
        return new Slice(place, subject, new SliceBounds(from, to, step));
    }

    private Expression ParsePrimary()
    {
        Token token = reader.Take();
        return token.Type switch
        {
            TokenType.Name => NameOrConstant(token),
            TokenType.Text => new Literal(token.Place, TemplateText.OfTemplate(JoinNeighbours(token.Value))),
            TokenType.Whole => new Literal(token.Place, WholeOf(token)),
            TokenType.Real => new Literal(token.Place, double.Parse(token.Value, CultureInfo.InvariantCulture)),
            TokenType.Symbol when token.Value == "(" => ParseGroup(token.Place),
            TokenType.Symbol when token.Value == "[" => new ListLiteral(token.Place, ParseItems("]")),
            TokenType.Symbol when token.Value == "{" => ParseMap(token.Place),
            _ => throw token.Place.Error($"expected a value but found '{token.Value}'."),
        };
    }

    private string JoinNeighbours(string text)
    {
        while (reader.Current.Type == TokenType.Text)
        {
            text += reader.Take().Value;
        }

        return text;
    }

    private static Expression NameOrConstant(Token token) => token.Value switch
    {
        "true" or "True" => new Literal(token.Place, true),
        "false" or "False" => new Literal(token.Place, false),
        "none" or "None" => new Literal(token.Place, null),
        _ => new Name(token.Place, token.Value),
    };

    private static long WholeOf(Token token) => long.TryParse(token.Value, CultureInfo.InvariantCulture, out long whole)
        ? whole
        : throw token.Place.Error($"the number {token.Value} is above {long.MaxValue}.");

    private Expression ParseGroup(Place place)
    {
        if (reader.TrySymbol(")"))
        {
            return new ListLiteral(place, []);
        }

        Expression value = reader.Nested(() => ParseTuple(withConditional: true));
        reader.ExpectSymbol(")");
        return value;
    }

    private List<Expression> ParseItems(string close)
    {
        List<Expression> items = [];
        while (!reader.TrySymbol(close))
        {
            items.Add(Parse());
            if (!reader.IsSymbol(close))
            {
                reader.ExpectSymbol(",");
            }
        }

        return items;
    }

    private MapLiteral ParseMap(Place place)
    {
        List<(Expression Key, Expression Value)> entries = [];
        while (!reader.TrySymbol("}"))
        {
            Expression key = Parse();
            reader.ExpectSymbol(":");
            entries.Add((key, Parse()));
            if (!reader.IsSymbol("}"))
            {
                reader.ExpectSymbol(",");
            }
        }

        return new MapLiteral(place, entries);
    }

    private bool EndsExpression() =>
        reader.Current.Type is TokenType.CloseBlock or TokenType.ClosePrint || reader.IsSymbol(")") || reader.IsName("in");
}
