using System.Globalization;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>A filter: what follows '|'.</summary>
internal delegate object? FilterBody(Rendering rendering, object? subject, CallArguments arguments);

/// <summary>The filters of text and numbers, and the one place that names them all.</summary>
internal static class FilterCatalog
{
    private static readonly Dictionary<string, FilterBody> Filters = new(ListFilters.All, StringComparer.Ordinal)
    {
        ["trim"] = (_, subject, arguments) => TextMethods.Strip(
            Text(subject), (arguments.Get(0, "chars", null) as TemplateText)?.Value, start: true, end: true),
        ["upper"] = (_, subject, _) => Text(subject).WithValue(Text(subject).Value.ToUpperInvariant()),
        ["lower"] = (_, subject, _) => Text(subject).WithValue(Text(subject).Value.ToLowerInvariant()),
        ["title"] = (_, subject, _) => Title(Text(subject)),
        ["capitalize"] = (_, subject, _) => TextMethods.Capitalize(Text(subject)),
        ["string"] = (_, subject, _) => Text(subject),
        ["safe"] = (_, subject, _) => subject,
        ["replace"] = (rendering, subject, arguments) => TextMethods.Replace(
            rendering,
            Text(subject),
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

    /// <exception cref="FormatException">There is no such filter.</exception>
    public static FilterBody Of(string id) => Filters.TryGetValue(id, out FilterBody? filter)
        ? filter
        : throw new FormatException($"the filter '{id}' is not supported");

    private static TemplateText Text(object? subject) => ValueText.Print(subject);

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
        string json = JsonText.ToJson(subject, (int?)TextMethods.Whole(arguments, 0, "indent"));
        rendering.Count(json.Length);
        return TemplateText.OfData(json);
    }

    private static TemplateText Indent(Rendering rendering, object? subject, CallArguments arguments)
    {
        string margin = arguments.Get(0, "width", 4L) is TemplateText text
            ? text.Value
            : new string(' ', (int)Math.Clamp(TextMethods.Whole(arguments, 0, "width") ?? 4, 0, 256));
        bool first = Operators.IsTrue(arguments.Get(1, "first", false));
        bool blank = Operators.IsTrue(arguments.Get(2, "blank", false));
        TemplateText source = Text(subject);
        TemplateTextBuilder indented = new();
        int at = 0;
        while (at <= source.Length)
        {
            int end = source.Value.IndexOf('\n', at) is var found and >= 0 ? found : source.Length;
            if ((at > 0 || first) && (blank || end > at))
            {
                indented.Append(margin, fromTemplate: true);
            }

            indented.Append(source, at, Math.Min(end + 1, source.Length) - at);
            rendering.Count(margin.Length + end - at + 1);
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
