using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>The operators, as Python has them.</summary>
internal static class Arithmetic
{
    public static object Sign(string symbol, object? value) => value switch
    {
        _ when Operators.TryWhole(value, out long whole) => symbol != "-" ? (object)whole
            : whole != long.MinValue ? -whole
            : throw new FormatException($"-({whole}) passes 64 bits"),
        double real => symbol == "-" ? -real : real,
        _ => throw new FormatException($"'{symbol}' does not work on a {ValueText.KindOf(value)}"),
    };

    public static bool Holds(string symbol, object? left, object? right) => symbol switch
    {
        "==" => Operators.Equals(left, right),
        "!=" => !Operators.Equals(left, right),
        "in" => Operators.Contains(right, left),
        "not in" => !Operators.Contains(right, left),
        "<" => Operators.Compare(left, right) < 0,
        "<=" => Operators.Compare(left, right) <= 0,
        ">" => Operators.Compare(left, right) > 0,
        _ => Operators.Compare(left, right) >= 0,
    };

    public static object Compute(Rendering rendering, string symbol, object? left, object? right)
    {
        if (symbol == "~")
        {
            return Join(rendering, ValueText.Print(left), ValueText.Print(right));
        }

        try
        {
            return (left, right) switch
            {
                (TemplateText a, TemplateText b) when symbol == "+" => Join(rendering, a, b),
                (JinjaList a, JinjaList b) when symbol == "+" => JoinLists(rendering, a, b),
                (TemplateText a, long times) when symbol == "*" => Repeat(rendering, a, times),
                (long times, TemplateText a) when symbol == "*" => Repeat(rendering, a, times),
                _ when symbol != "/" && Operators.TryWhole(left, out long a) && Operators.TryWhole(right, out long b) => Whole(symbol, a, b),
                _ when Operators.TryReal(left, out double a) && Operators.TryReal(right, out double b) => Real(symbol, a, b),
                _ => throw new FormatException($"'{symbol}' does not work on {Described(left)} and {Described(right)}"),
            };
        }
        catch (OverflowException)
        {
            throw new FormatException($"{ValueText.Repr(left)} {symbol} {ValueText.Repr(right)} passes 64 bits");
        }
    }

    private static string Described(object? value) =>
        value is Undefined undefined ? $"'{undefined.Name}', which is undefined," : $"a {ValueText.KindOf(value)}";

    private static TemplateText Join(Rendering rendering, TemplateText left, TemplateText right)
    {
        rendering.Count((long)left.Length + right.Length);
        TemplateTextBuilder text = new();
        text.Append(left);
        text.Append(right);
        return text.ToText();
    }

    private static JinjaList JoinLists(Rendering rendering, JinjaList left, JinjaList right)
    {
        rendering.CountItems((long)left.Items.Count + right.Items.Count);
        return new JinjaList([.. left.Items, .. right.Items]);
    }

    private static TemplateText Repeat(Rendering rendering, TemplateText text, long times)
    {
        TemplateTextBuilder repeated = new();
        if (times > 0 && text.Length > 0)
        {
            rendering.Count(checked(times * text.Length));
            for (long i = 0; i < times; i++)
            {
                repeated.Append(text);
            }
        }

        return repeated.ToText();
    }

    private static object Whole(string symbol, long left, long right) => symbol switch
    {
        // As objects: left alone, the compiler would make every result a double.
        "+" => (object)checked(left + right),
        "-" => checked(left - right),
        "*" => checked(left * right),
        "//" => FloorDivide(left, right),
        "%" => checked(left - (FloorDivide(left, right) * right)),
        "**" when right >= 0 => Power(left, right),
        _ => Real(symbol, left, right),
    };

    private static long FloorDivide(long left, long right)
    {
        if (right == 0)
        {
            throw new FormatException("division by zero");
        }

        long quotient = checked(left / right);
        return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
    }

    private static long Power(long value, long exponent)
    {
        long result = 1;
        for (long i = 0; i < exponent && result is not 0 && value is not 1; i++)
        {
            result = value == -1 ? (exponent % 2 == 0 ? 1 : -1) : checked(result * value);
            if (value == -1)
            {
                break;
            }
        }

        return result;
    }

    private static double Real(string symbol, double left, double right) => symbol switch
    {
        "/" or "//" or "%" when right == 0 => throw new FormatException("division by zero"),
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => Math.Floor(left / right),
        "%" => left - (Math.Floor(left / right) * right),
        _ => Math.Pow(left, right),
    };
}
