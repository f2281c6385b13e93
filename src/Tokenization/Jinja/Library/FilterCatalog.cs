using System.Globalization;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>A filter: what follows '|'.</summary>
internal delegate object? FilterBody(Rendering rendering, object? subject, CallArguments arguments);

/// <summary>The filters of text and numbers, and the one place that names them all.</summary>
internal static class FilterCatalog
{
    private const int MaxIndent = 256;

    // These do not read through a text.
    private static readonly HashSet<string> PassOn = new(StringComparer.Ordinal)
    {
        "length", "count", "first", "last", "string", "safe", "default", "d",
    };

    private static readonly Dictionary<string, FilterBody> Filters = new(ListFilters.All, StringComparer.Ordinal)
    {
        ["trim"] = (rendering, subject, arguments) => TextMethods.Strip(
            Text(rendering, subject), (arguments.Get(0, "chars", null) as TemplateText)?.Value, start: true, end: true),
        ["upper"] = (rendering, subject, _) => Recased(Text(rendering, subject), value => value.ToUpperInvariant()),
        ["lower"] = (rendering, subject, _) => Recased(Text(rendering, subject), value => value.ToLowerInvariant()),
        ["title"] = (rendering, subject, _) => Title(Text(rendering, subject)),
        ["capitalize"] = (rendering, subject, _) => TextMethods.Capitalize(Text(rendering, subject)),
        ["string"] = (rendering, subject, _) => Text(rendering, subject),
        ["safe"] = (_, subject, _) => subject,
        ["replace"] = (rendering, subject, arguments) => TextMethods.Replace(
            rendering,
            Text(rendering, subject),
            (TextMethods.Text(arguments, 0, "old"), TextMethods.Text(arguments, 1, "new")),
            TextMethods.Whole(arguments, 2, "count")),
        ["join"] = (rendering, subject, arguments) => ListFilters.Join(rendering, subject, arguments),
        ["indent"] = Indent,
        ["tojson"] = ToJson,
        ["default"] = Default,
        ["d"] = Default,
        ["int"] = (_, subject, arguments) => ToWhole(subject) ?? arguments.Get(0, "default", 0L),
        ["float"] = (_, subject, arguments) => ToReal(subject) ?? arguments.Get(0, "default", 0.0),
        ["abs"] = (_, subject, _) => subject switch
        {
            long whole when whole != long.MinValue => (object)Math.Abs(whole),
            double real => Math.Abs(real),
            _ => throw new FormatException($"'abs' does not work on a {ValueText.KindOf(subject)}"),
        },
        ["round"] = (_, subject, arguments) => subject is long ? subject : Operators.TryReal(subject, out double real)
            ? (object)Math.Round(real, (int)Math.Clamp(TextMethods.Whole(arguments, 0, "precision") ?? 0, 0, 15), MidpointRounding.ToEven)
            : throw new FormatException($"'round' does not work on a {ValueText.KindOf(subject)}"),
    };

    /// <summary>Applies a filter; it counts as a step, and its text as read.</summary>
    /// <exception cref="FormatException">There is no such filter, or it does not work on the value.</exception>
    public static object? Apply(Rendering rendering, string id, object? subject, CallArguments arguments)
    {
        if (!Filters.TryGetValue(id, out FilterBody? filter))
        {
            throw new FormatException($"the filter '{id}' is not supported");
        }

        rendering.Visit();
        rendering.Count(subject is TemplateText text && !PassOn.Contains(id) ? text.Length : 0);
        return filter(rendering, subject, arguments);
    }

    private static TemplateText Text(Rendering rendering, object? subject) => ValueText.Print(rendering, subject);

    private static TemplateText Recased(TemplateText text, Func<string, string> change) => text.WithValue(change(text.Value));

    // Unlike the method of strings, a word goes on after an apostrophe or digit.
    private static TemplateText Title(TemplateText text)
    {
        char[] value = text.Value.ToCharArray();
        bool inWord = false;
        for (int i = 0; i < value.Length; i++)
        {
            bool breaks = char.IsWhiteSpace(value[i]) || value[i] is '-' or '(' or '{' or '[' or '<';
            value[i] = inWord ? char.ToLowerInvariant(value[i]) : char.ToUpperInvariant(value[i]);
            inWord = !breaks;
        }

        return text.WithValue(new string(value));
    }

    private static object? Default(Rendering rendering, object? subject, CallArguments arguments)
    {
        bool alsoIfFalse = Operators.IsTrue(arguments.Get(1, "boolean", false));
        bool absent = subject is Undefined || (alsoIfFalse && !Operators.IsTrue(subject));
        return absent ? arguments.Get(0, "default_value", TemplateText.Empty) : subject;
    }

    private static TemplateText ToJson(Rendering rendering, object? subject, CallArguments arguments)
    {
        long? indent = TextMethods.Whole(arguments, 0, "indent");
        return indent is > MaxIndent
            ? throw new FormatException($"an indent of {indent} is not supported, the most is {MaxIndent}")
            : TemplateText.OfData(JsonText.ToJson(rendering, subject, indent is null ? null : (int)Math.Max(0, indent.Value)));
    }

    private static TemplateText Indent(Rendering rendering, object? subject, CallArguments arguments)
    {
        string margin = arguments.Get(0, "width", 4L) is TemplateText text
            ? text.Value
            : new string(' ', (int)Math.Clamp(TextMethods.Whole(arguments, 0, "width") ?? 4, 0, MaxIndent));
        bool first = Operators.IsTrue(arguments.Get(1, "first", false));
        bool blank = Operators.IsTrue(arguments.Get(2, "blank", false));
        TemplateText source = Text(rendering, subject);
        TemplateTextBuilder indented = new();
        int at = 0;
        while (at <= source.Length)
        {
            int end = source.Value.IndexOf('\n', at) is var found and >= 0 ? found : source.Length;
            rendering.Count(margin.Length + end - at + 1);
            if ((at > 0 || first) && (blank || end > at))
            {
                indented.Append(margin, fromTemplate: true);
            }

            indented.Append(source, at, Math.Min(end + 1, source.Length) - at);
            at = end + 1;
        }

        return indented.ToText();
    }

    private static object? ToWhole(object? subject) => subject switch
    {
        long or bool => Operators.TryWhole(subject, out long whole) ? (object)whole : null,
        double real when Math.Abs(real) < 9e18 => (long)real,
        TemplateText text when long.TryParse(text.Value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        TemplateText text when ToReal(text) is double real && Math.Abs(real) < 9e18 => (long)real,
        _ => null,
    };

    private static object? ToReal(object? subject) => subject switch
    {
        TemplateText text => double.TryParse(text.Value.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real : null,
        _ => Operators.TryReal(subject, out double real) ? real : null,
    };
}
