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

    public static bool Holds(Rendering rendering, string symbol, object? left, object? right) => symbol switch
    {
        "==" => Operators.Equals(rendering, left, right),
        "!=" => !Operators.Equals(rendering, left, right),
        "in" => Operators.Contains(rendering, right, left),
        "not in" => !Operators.Contains(rendering, right, left),
        "<" => Operators.Compare(rendering, left, right) < 0,
        "<=" => Operators.Compare(rendering, left, right) <= 0,
        ">" => Operators.Compare(rendering, left, right) > 0,
        _ => Operators.Compare(rendering, left, right) >= 0,
    };

    public static object Compute(Rendering rendering, string symbol, object? left, object? right)
    {
        if (symbol == "~")
        {
            return Join(rendering, ValueText.Print(rendering, left), ValueText.Print(rendering, right));
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
            throw new FormatException($"{left} {symbol} {right} passes 64 bits");
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
        if (times <= 0 || text.Length == 0)
        {
            return TemplateText.Empty;
        }

        rendering.Count(times > int.MaxValue ? long.MaxValue : times * text.Length);
        if (text.Parts is [ChatSegment only])
        {
            string value = string.Create(checked((int)times * text.Length), text.Value, FillWith);
            return new TemplateText(value, [only with { Length = value.Length }]);
        }

        TemplateTextBuilder repeated = new();
        for (long i = 0; i < times; i++)
        {
            repeated.Append(text);
        }

        return repeated.ToText();
    }

    private static void FillWith(Span<char> target, string text)
    {
        text.CopyTo(target);
        for (int filled = text.Length; filled < target.Length; filled *= 2)
        {
            target[..Math.Min(filled, target.Length - filled)].CopyTo(target[filled..]);
        }
    }

    private static object Whole(string symbol, long left, long right) => symbol switch
    {
        // As objects: left alone, the compiler would make every result a double.
        "+" => (object)checked(left + right),
        "-" => checked(left - right),
        "*" => checked(left * right),
        "//" => FloorDivide(left, right),
        "%" => Remainder(left, right),
        "**" when right >= 0 => Power(left, right),
        _ => Real(symbol, left, right),
    };

    /// <summary>What floor division leaves; it has the sign of <paramref name="right"/>.</summary>
    /// <exception cref="FormatException">Division by zero.</exception>
    public static long Remainder(long left, long right) => right == -1 ? 0 : left - (FloorDivide(left, right) * right);

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
