namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Parses expressions, loosest operators first: conditional, or, and, not, comparison, + -, ~, * / // %, **,
/// sign, then calls, entries, filters and tests.</summary>
internal sealed class ExpressionParser
{
    private readonly PrimaryParser _primaries;
    private readonly TokenReader _reader;

    public ExpressionParser(TokenReader reader)
    {
        _reader = reader;
        _primaries = new PrimaryParser(reader, this);
    }

    /// <summary>An expression, or a tuple without parentheses.</summary>
    public Expression ParseTuple(bool withConditional)
    {
        Place place = _reader.Current.Place;
        Expression first = withConditional ? Parse() : ParseOr();
        if (!_reader.IsSymbol(","))
        {
            return first;
        }

        List<Expression> items = [first];
        while (_reader.TrySymbol(",") && !EndsExpression())
        {
            items.Add(withConditional ? Parse() : ParseOr());
        }

        return new ListLiteral(place, items);
    }

    /// <summary>One expression.</summary>
    public Expression Parse() => _reader.Nested(ParseConditional);

    /// <summary>An expression in which <c>if</c> does not begin a conditional (a loop's source).</summary>
    public Expression ParseOr() => Chain(ParseAnd, "or");

    public Arguments ParseArguments()
    {
        List<Expression> positional = [];
        List<(string Name, Expression Value)> named = [];
        _reader.ExpectSymbol("(");
        while (!_reader.TrySymbol(")"))
        {
            if (_reader.Current.Type == TokenType.Name && _reader.Ahead is { Type: TokenType.Symbol, Value: "=" })
            {
                string name = _reader.Take().Value;
                _reader.ExpectSymbol("=");
                named.Add((name, Parse()));
            }
            else
            {
                positional.Add(Parse());
            }

            if (!_reader.IsSymbol(")"))
            {
                _reader.ExpectSymbol(",");
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
            string id = _reader.Expect(TokenType.Name, "a filter's name").Value;
            filters.Add((id, _reader.IsSymbol("(") ? ParseArguments() : Arguments.None));
        }
        while (_reader.TrySymbol("|"));
        return filters;
    }

    private Expression ParseConditional()
    {
        Expression value = ParseOr();
        while (_reader.IsName("if"))
        {
            Place place = _reader.Take().Place;
            Expression condition = ParseOr();
            Expression? otherwise = _reader.TryName("else") ? Parse() : null;
            value = new Conditional(place, condition, value, otherwise);
        }

        return value;
    }

    private Expression ParseAnd() => Chain(ParseNot, "and");

    private Expression Chain(Func<Expression> operand, string name)
    {
        Expression left = operand();
        while (_reader.IsName(name))
        {
            Place place = _reader.Take().Place;
            left = new Binary(place, name, left, operand());
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!_reader.IsName("not"))
        {
            return ParseComparison();
        }

        Place place = _reader.Take().Place;
        return new Unary(place, "not", _reader.Nested(ParseNot));
    }

    private Expression ParseComparison()
    {
        Place place = _reader.Current.Place;
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
        symbol = _reader.Current.Value;
        if (_reader.Current.Type == TokenType.Symbol && symbol is "==" or "!=" or "<" or "<=" or ">" or ">=")
        {
            _reader.Take();
            return true;
        }

        if (_reader.IsName("not") && _reader.Ahead is { Type: TokenType.Name, Value: "in" })
        {
            _reader.Take();
            _reader.Take();
            symbol = "not in";
            return true;
        }

        return _reader.TryName("in");
    }

    private Expression ParseSum() => Operators(ParseJoin, "+", "-");

    private Expression ParseJoin() => Operators(ParseProduct, "~");

    private Expression ParseProduct() => Operators(ParsePower, "*", "/", "//", "%");

    private Expression ParsePower() => Operators(() => ParseSign(withFilters: true), "**");

    private Expression Operators(Func<Expression> operand, params ReadOnlySpan<string> symbols)
    {
        Expression left = operand();
        while (_reader.Current.Type == TokenType.Symbol && symbols.Contains(_reader.Current.Value))
        {
            Token symbol = _reader.Take();
            left = new Binary(symbol.Place, symbol.Value, left, operand());
        }

        return left;
    }

    private Expression ParseSign(bool withFilters)
    {
        Expression value;
        if (_reader.IsSymbol("-") || _reader.IsSymbol("+"))
        {
            Token sign = _reader.Take();
            value = new Unary(sign.Place, sign.Value, _reader.Nested(() => ParseSign(withFilters: false)));
        }
        else
        {
            value = _primaries.Parse();
        }

        value = ParsePostfix(value);
        return withFilters ? ParseFilters(value) : value;
    }

    private Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            Token token = _reader.Current;
            if (_reader.TrySymbol("."))
            {
                value = _reader.Current.Type == TokenType.Whole
                    ? new Item(token.Place, value, new Literal(token.Place, PrimaryParser.WholeOf(_reader.Take())))
                    : new Attribute(token.Place, value, _reader.Expect(TokenType.Name, "a name after '.'").Value);
            }
            else if (_reader.TrySymbol("["))
            {
                value = ParseSubscript(token.Place, value);
            }
            else if (_reader.IsSymbol("("))
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
            Place place = _reader.Current.Place;
            if (_reader.TrySymbol("|"))
            {
                string id = _reader.Expect(TokenType.Name, "a filter's name").Value;
                value = new Filter(place, value, id, _reader.IsSymbol("(") ? ParseArguments() : Arguments.None);
            }
            else if (_reader.TryName("is"))
            {
                value = ParseTest(place, value);
            }
            else if (_reader.IsSymbol("("))
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
        bool negated = _reader.TryName("not");
        string id = _reader.Expect(TokenType.Name, "a test's name").Value;
        Arguments arguments = Arguments.None;
        if (_reader.IsSymbol("("))
        {
            arguments = ParseArguments();
        }
        else if (BeginsOperand())
        {
            arguments = new Arguments([ParsePostfix(_primaries.Parse())], []);
        }

        Test test = new(place, value, id, arguments);
        return negated ? new Unary(place, "not", test) : test;
    }

    private bool BeginsOperand() => _reader.Current.Type switch
    {
        TokenType.Name => _reader.Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"),
        TokenType.Text or TokenType.Whole or TokenType.Real => true,
        TokenType.Symbol => _reader.Current.Value is "[" or "{",
        _ => false,
    };

    private Expression ParseSubscript(Place place, Expression subject)
    {
        Expression? from = _reader.IsSymbol(":") ? null : Parse();
        if (!_reader.TrySymbol(":"))
        {
            _reader.ExpectSymbol("]");
            return new Item(place, subject, from!);
        }

        Expression? to = _reader.IsSymbol(":") || _reader.IsSymbol("]") ? null : Parse();
        Expression? step = _reader.TrySymbol(":") && !_reader.IsSymbol("]") ? Parse() : null;
        _reader.ExpectSymbol("]");
        return new Slice(place, subject, new SliceBounds(from, to, step));
    }

    private bool EndsExpression() =>
        _reader.Current.Type is TokenType.CloseBlock or TokenType.ClosePrint || _reader.IsSymbol(")") || _reader.IsName("in");
}
