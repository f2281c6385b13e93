using System.Globalization;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Parses what operators stand between: names, literals, lists, mappings and groups.</summary>
internal sealed class PrimaryParser(TokenReader reader, ExpressionParser expressions)
{
    public Expression Parse()
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

    public static long WholeOf(Token token) => long.TryParse(token.Value, CultureInfo.InvariantCulture, out long whole)
        ? whole
        : throw token.Place.Error($"the number {token.Value} is above {long.MaxValue}.");

    private Expression ParseGroup(Place place)
    {
        if (reader.TrySymbol(")"))
        {
            return new ListLiteral(place, []);
        }

        Expression value = reader.Nested(() => expressions.ParseTuple(withConditional: true));
        reader.ExpectSymbol(")");
        return value;
    }

    private List<Expression> ParseItems(string close)
    {
        List<Expression> items = [];
        while (!reader.TrySymbol(close))
        {
            items.Add(expressions.Parse());
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
            Expression key = expressions.Parse();
            reader.ExpectSymbol(":");
            entries.Add((key, expressions.Parse()));
            if (!reader.IsSymbol("}"))
            {
                reader.ExpectSymbol(",");
            }
        }

        return new MapLiteral(place, entries);
    }
}
