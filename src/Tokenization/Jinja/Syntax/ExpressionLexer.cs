using System.Globalization;
using System.Text;

namespace Concertina.Tokenization.Jinja.Syntax;

/// <summary>Cuts what stands inside a tag into tokens.</summary>
internal sealed class ExpressionLexer(string source, Func<int, Place> placeOf, List<Token> tokens)
{
    private static readonly string[] Pairs = ["==", "!=", "<=", ">=", "//", "**"];
    private const string Singles = "+-*/%~<>=.,:|()[]{}";

    /// <summary>Reads to the closing mark.</summary>
    /// <returns>Where the mark (or its sign) begins, and its sign '-' or '+', or NUL.</returns>
    public (int Close, char Sign) ReadUntil(int at, string mark, int open)
    {
        int depth = 0;
        while (true)
        {
            while (at < source.Length && char.IsWhiteSpace(source[at]))
            {
                at++;
            }

            if (at >= source.Length)
            {
                throw placeOf(open).Error($"the tag is not closed by '{mark}'.");
            }

            if (depth == 0 && IsAt(at, mark))
            {
                return (at, '\0');
            }

            if (depth == 0 && source[at] is '-' or '+' && IsAt(at + 1, mark))
            {
                return (at, source[at]);
            }

            depth += source[at] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            at = ReadToken(at);
        }
    }

    private int ReadToken(int at)
    {
        char first = source[at];
        if (first is '"' or '\'')
        {
            return ReadText(at);
        }

        if (char.IsAsciiDigit(first))
        {
            return ReadNumber(at);
        }

        if (char.IsLetter(first) || first == '_')
        {
            int end = at;
            while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_'))
            {
                end++;
            }

            return Add(TokenType.Name, source[at..end], at, end);
        }

        string? pair = Array.Find(Pairs, candidate => IsAt(at, candidate));
        if (pair is not null)
        {
            return Add(TokenType.Symbol, pair, at, at + 2);
        }

        return Singles.Contains(first, StringComparison.Ordinal)
            ? Add(TokenType.Symbol, first.ToString(), at, at + 1)
            : throw placeOf(at).Error($"unexpected character '{first}'.");
    }

    private int ReadNumber(int at)
    {
        int end = Digits(at);
        bool real = false;
        if (end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]))
        {
            end = Digits(end + 1);
            real = true;
        }

        if (end + 1 < source.Length && source[end] is 'e' or 'E')
        {
            int exponent = end + (source[end + 1] is '+' or '-' ? 2 : 1);
            if (exponent < source.Length && char.IsAsciiDigit(source[exponent]))
            {
                end = Digits(exponent);
                real = true;
            }
        }

        string digits = source[at..end].Replace("_", "", StringComparison.Ordinal);
        return Add(real ? TokenType.Real : TokenType.Whole, digits, at, end);
    }

    private int Digits(int at)
    {
        while (at < source.Length && (char.IsAsciiDigit(source[at]) || source[at] == '_'))
        {
            at++;
        }

        return at;
    }

    private int ReadText(int at)
    {
        StringBuilder text = new();
        int next = at + 1;
        while (next < source.Length && source[next] != source[at])
        {
            next = source[next] == '\\' ? ReadEscape(next, text) : Plain(next, text);
        }

        return next < source.Length
            ? Add(TokenType.Text, text.ToString(), at, next + 1)
            : throw placeOf(at).Error("the string is not closed.");
    }

    private int Plain(int at, StringBuilder text)
    {
        text.Append(source[at]);
        return at + 1;
    }

    private int ReadEscape(int at, StringBuilder text)
    {
        char code = at + 1 < source.Length ? source[at + 1] : throw placeOf(at).Error("the string is not closed.");
        int digits = code switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (at + 2 + digits > source.Length
                || !int.TryParse(source.AsSpan(at + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
                || !Rune.IsValid(value))
            {
                throw placeOf(at).Error($"'\\{code}' needs {digits} hexadecimal digits of a character.");
            }

            text.Append(new Rune(value).ToString());
            return at + 2 + digits;
        }

        string? plain = code switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            '0' => "\0",
            'a' => "\a",
            'b' => "\b",
            'f' => "\f",
            'v' => "\v",
            '\\' or '\'' or '"' => code.ToString(),
            '\n' => "",
            _ => $"\\{code}",
        };
        text.Append(plain);
        return at + 2;
    }

    private bool IsAt(int at, string value) => string.CompareOrdinal(source, at, value, 0, value.Length) == 0;

    private int Add(TokenType type, string value, int start, int end)
    {
        tokens.Add(new Token(type, value, placeOf(start)));
        return end;
    }
}
