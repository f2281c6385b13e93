namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Parses a template into statements.</summary>
internal sealed class StatementParser
{
    private readonly TokenReader _reader;
    private readonly ExpressionParser _expressions;
    private int _loops;

    private StatementParser(IReadOnlyList<Token> tokens, int maxDepth)
    {
        _reader = new TokenReader(tokens, maxDepth);
        _expressions = new ExpressionParser(_reader);
    }

    public static List<Statement> Parse(string template, int maxDepth)
    {
        StatementParser parser = new(TemplateLexer.Read(template), maxDepth);
        List<Statement> statements = parser.ParseBody();
        return parser._reader.Current.Type == TokenType.End
            ? statements
            : throw parser._reader.Current.Place.Error($"'{parser._reader.Ahead.Value}' closes nothing.");
    }

    private List<Statement> ParseBody(params ReadOnlySpan<string> ends)
    {
        List<Statement> statements = [];
        while (true)
        {
            Token token = _reader.Current;
            switch (token.Type)
            {
                case TokenType.Data:
                    statements.Add(new Data(token.Place, _reader.Take().Value));
                    break;
                case TokenType.OpenPrint:
                    statements.Add(ParsePrint());
                    break;
                case TokenType.OpenBlock when ends.Contains(_reader.Ahead.Value) || _reader.Ahead.Value.StartsWith("end", StringComparison.Ordinal):
                    return statements;
                case TokenType.OpenBlock:
                    statements.Add(_reader.Nested(ParseBlock));
                    break;
                default:
                    return statements;
            }
        }
    }

    private Print ParsePrint()
    {
        Place place = _reader.Take().Place;
        Print print = new(place, _expressions.ParseTuple(withConditional: true));
        _reader.Expect(TokenType.ClosePrint, "'}}'");
        return print;
    }

    private Statement ParseBlock()
    {
        Place place = _reader.Take().Place;
        Token name = _reader.Expect(TokenType.Name, "a statement's name");
        return name.Value switch
        {
            "if" => ParseIf(place),
            "for" => ParseFor(place),
            "set" => ParseSet(place),
            "macro" => ParseMacro(place),
            "filter" => ParseFilterBlock(place),
            "generation" => ParseGeneration(place),
            "break" or "continue" => ParseJump(place, name.Value == "break"),
            _ => throw name.Place.Error($"the statement '{name.Value}' is not supported."),
        };
    }

    private If ParseIf(Place place)
    {
        List<(Expression Condition, IReadOnlyList<Statement> Body)> branches = [];
        do
        {
            Expression condition = _expressions.ParseTuple(withConditional: false);
            CloseBlock();
            branches.Add((condition, ParseBody("elif", "else")));
            OpenBlock(place, "if");
        }
        while (_reader.TryName("elif"));

        List<Statement> otherwise = ParseElse(place, "if");
        End("endif");
        return new If(place, branches, otherwise);
    }

    private For ParseFor(Place place)
    {
        List<string> targets = ParseTargets();
        if (!_reader.TryName("in"))
        {
            throw _reader.Current.Place.Error($"expected 'in' but found '{_reader.Current.Value}'.");
        }

        Expression source = _expressions.ParseTuple(withConditional: false);
        Expression? condition = _reader.TryName("if") ? _expressions.Parse() : null;
        CloseBlock();
        _loops++;
        List<Statement> body = ParseBody("else");
        _loops--;
        OpenBlock(place, "for");
        List<Statement> otherwise = ParseElse(place, "for");
        End("endfor");
        return new For(place, targets, source, new ForBodies(condition, body, otherwise));
    }

    private Statement ParseSet(Place place)
    {
        List<string> targets = ParseTargets();
        string? entry = _reader.TrySymbol(".") ? _reader.Expect(TokenType.Name, "a name after '.'").Value : null;
        if (_reader.TrySymbol("="))
        {
            Expression value = _expressions.ParseTuple(withConditional: true);
            CloseBlock();
            return new Set(place, targets, entry, value);
        }

        if (targets.Count != 1 || entry is not null)
        {
            throw place.Error("a 'set' block names one variable.");
        }

        List<(string Id, Arguments Arguments)> filters = _reader.TrySymbol("|") ? _expressions.ParseFilterChain() : [];
        List<Statement> body = ParseEnclosed(place, "set");
        return new SetBlock(place, targets[0], filters, body);
    }

    private Macro ParseMacro(Place place)
    {
        string id = _reader.Expect(TokenType.Name, "the macro's name").Value;
        List<(string Name, Expression? Default)> parameters = [];
        _reader.ExpectSymbol("(");
        while (!_reader.TrySymbol(")"))
        {
            string name = _reader.Expect(TokenType.Name, "a parameter's name").Value;
            parameters.Add((name, _reader.TrySymbol("=") ? _expressions.Parse() : null));
            if (!_reader.IsSymbol(")"))
            {
                _reader.ExpectSymbol(",");
            }
        }

        int outer = _loops;
        _loops = 0;
        List<Statement> body = ParseEnclosed(place, "macro");
        _loops = outer;
        return new Macro(place, id, parameters, body);
    }

    private FilterBlock ParseFilterBlock(Place place)
    {
        List<(string Id, Arguments Arguments)> filters = _expressions.ParseFilterChain();
        return new FilterBlock(place, filters, ParseEnclosed(place, "filter"));
    }

    private Block ParseGeneration(Place place) => new(place, ParseEnclosed(place, "generation"));

    private Jump ParseJump(Place place, bool isBreak)
    {
        CloseBlock();
        return _loops > 0 ? new Jump(place, isBreak) : throw place.Error("'break' and 'continue' stand only inside a loop.");
    }

    private List<string> ParseTargets()
    {
        bool grouped = _reader.TrySymbol("(");
        List<string> targets = [];
        do
        {
            targets.Add(_reader.Expect(TokenType.Name, "a variable's name").Value);
        }
        while (_reader.TrySymbol(","));
        if (grouped)
        {
            _reader.ExpectSymbol(")");
        }

        return targets;
    }

    private List<Statement> ParseElse(Place place, string statement)
    {
        if (!_reader.TryName("else"))
        {
            return [];
        }

        CloseBlock();
        List<Statement> body = ParseBody();
        OpenBlock(place, statement);
        return body;
    }

    private List<Statement> ParseEnclosed(Place place, string statement)
    {
        CloseBlock();
        List<Statement> body = ParseBody();
        OpenBlock(place, statement);
        End("end" + statement);
        return body;
    }

    private void OpenBlock(Place place, string statement)
    {
        if (_reader.Current.Type != TokenType.OpenBlock)
        {
            throw place.Error($"'{statement}' is not closed by 'end{statement}'.");
        }

        _reader.Take();
    }

    private void End(string name)
    {
        if (!_reader.TryName(name))
        {
            throw _reader.Current.Place.Error($"expected '{name}' but found '{_reader.Current.Value}'.");
        }

        CloseBlock();
    }

    private void CloseBlock() => _reader.Expect(TokenType.CloseBlock, "'%}'");
}
