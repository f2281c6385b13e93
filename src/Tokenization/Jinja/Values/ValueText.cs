using System.Globalization;
using System.Runtime.CompilerServices;

namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Values as text: as printed, and as shown inside a list (Python's <c>str</c> and <c>repr</c>).</summary>
internal static class ValueText
{
    public static TemplateText Print(Rendering rendering, object? value) => value switch
    {
        TemplateText text => text,
        Undefined => TemplateText.Empty,
        JinjaList or JinjaMap => TemplateText.OfData(Repr(rendering, value)),
        _ => TemplateText.OfTemplate(Repr(rendering, value)),
    };

    public static string Repr(Rendering rendering, object? value)
    {
        CountedText text = new(rendering);
        Write(text, value);
        return text.ToString();
    }

    /// <summary>What a value is, for messages.</summary>
    public static string KindOf(object? value) => value switch
    {
        null => "none",
        bool => "boolean",
        long => "integer",
        double => "float",
        TemplateText => "string",
        JinjaList => "list",
        JinjaMap => "mapping",
        Undefined => "undefined",
        _ => "function",
    };

    public static string Number(double value)
    {
        if (double.IsNaN(value) || double.IsInfinity(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        double magnitude = Math.Abs(value);
        if (magnitude is not 0 and (>= 1e16 or < 1e-4))
        {
            string scientific = value.ToString("R", CultureInfo.InvariantCulture);
            return scientific.Contains('E', StringComparison.Ordinal) ? PythonExponent(scientific) : PythonExponent(value.ToString("E16", CultureInfo.InvariantCulture));
        }

        string plain = ((decimal)magnitude == (decimal)Math.Truncate(magnitude) && magnitude < 1e15
            ? value.ToString("F1", CultureInfo.InvariantCulture)
            : value.ToString("R", CultureInfo.InvariantCulture));
        return plain.Contains('E', StringComparison.Ordinal) ? value.ToString("F1", CultureInfo.InvariantCulture)
            : plain.Contains('.', StringComparison.Ordinal) ? plain : plain + ".0";
    }

    private static string PythonExponent(string scientific)
    {
        int at = scientific.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(scientific.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return $"{scientific[..at]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static void Write(CountedText text, object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        text.Visit();
        switch (value)
        {
            case JinjaList list:
                WriteMany(text, list.Items, '[', ']', item => Write(text, item));
                break;
            case JinjaMap map:
                WriteMany(text, map.Keys, '{', '}', key =>
                {
                    WriteQuoted(text, key.Value);
                    text.Append(": ");
                    Write(text, map[key.Value]);
                });
                break;
            case TemplateText quoted:
                WriteQuoted(text, quoted.Value);
                break;
            default:
                text.Append(value switch
                {
                    null => "None",
                    bool flag => flag ? "True" : "False",
                    long whole => whole.ToString(CultureInfo.InvariantCulture),
                    double real => Number(real),
                    Undefined => "Undefined",
                    JinjaFunction function => $"<function {function.Name}>",
                    _ => "",
                });
                break;
        }
    }

    private static void WriteMany<T>(CountedText text, List<T> items, char open, char close, Action<T> write)
    {
        text.Append(open);
        for (int i = 0; i < items.Count; i++)
        {
            text.Append(i == 0 ? "" : ", ");
            write(items[i]);
        }

        text.Append(close);
    }

    private static void WriteQuoted(CountedText text, string value)
    {
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (char unit in value)
        {
            if (unit >= ' ' && unit is not ('\\' or '\x7f') && unit != quote)
            {
                text.Append(unit);
                continue;
            }

            text.Append(unit switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\\' => "\\\\",
                _ when unit == quote => quote == '"' ? "\\\"" : "\\'",
                _ => $"\\x{(int)unit:x2}",
            });
        }

        text.Append(quote);
    }
}
