using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Values from JSON and to JSON, in the form Hugging Face's <c>tojson</c> gives: ", " and ": " between, no
/// escapes beyond those JSON needs.</summary>
internal static class JsonText
{
    /// <summary>A JSON value as a template sees it; its strings count as data.</summary>
    public static object? FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => TemplateText.OfData(element.GetString()!),
        JsonValueKind.Number => element.TryGetInt64(out long whole) ? (object)whole : element.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Array => new JinjaList([.. element.EnumerateArray().Select(FromJson)]),
        JsonValueKind.Object => MapOf(element),
        _ => null,
    };

    /// <summary>A value as JSON.</summary>
    /// <param name="value">Any value but functions and undefined ones.</param>
    /// <param name="rendering">What may still be used.</param>
    /// <param name="indent">Spaces per level, at least 0, or null for one line.</param>
    /// <exception cref="FormatException">The value has no JSON form or too long a one.</exception>
    public static string ToJson(Rendering rendering, object? value, int? indent)
    {
        CountedText text = new(rendering);
        Write(text, value, indent, 0);
        return text.ToString();
    }

    private static JinjaMap MapOf(JsonElement element)
    {
        JinjaMap map = new();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            map.Set(TemplateText.OfData(property.Name), FromJson(property.Value));
        }

        return map;
    }

    private static void Write(CountedText text, object? value, int? indent, int level)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        text.Visit();
        switch (value)
        {
            case JinjaList list:
                WriteMany(text, list.Items, (indent, level, '[', ']'), item => Write(text, item, indent, level + 1));
                break;
            case JinjaMap map:
                WriteMany(text, map.Keys, (indent, level, '{', '}'), key =>
                {
                    WriteQuoted(text, key.Value);
                    text.Append(": ");
                    Write(text, map[key.Value], indent, level + 1);
                });
                break;
            case TemplateText quoted:
                WriteQuoted(text, quoted.Value);
                break;
            default:
                text.Append(value switch
                {
                    null => "null",
                    bool flag => flag ? "true" : "false",
                    long whole => whole.ToString(CultureInfo.InvariantCulture),
                    double real => ValueText.Number(real),
                    _ => throw new FormatException($"a value of kind {ValueText.KindOf(value)} has no JSON form"),
                });
                break;
        }
    }

    private static void WriteMany<T>(
        CountedText text, List<T> items, (int? Indent, int Level, char Open, char Close) form, Action<T> write)
    {
        text.Append(form.Open);
        for (int i = 0; i < items.Count; i++)
        {
            text.Append(i == 0 ? "" : form.Indent is null ? ", " : ",");
            NewLine(text, form.Indent, form.Level + 1);
            write(items[i]);
        }

        if (items.Count > 0)
        {
            NewLine(text, form.Indent, form.Level);
        }

        text.Append(form.Close);
    }

    private static void NewLine(CountedText text, int? indent, int level)
    {
        if (indent is { } spaces)
        {
            text.Append('\n');
            text.Append(' ', spaces * level);
        }
    }

    private static void WriteQuoted(CountedText text, string value)
    {
        text.Append('"');
        foreach (char unit in value)
        {
            if (unit is not ('"' or '\\' or < ' '))
            {
                text.Append(unit);
                continue;
            }

            text.Append(unit switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ => $"\\u{(int)unit:x4}",
            });
        }

        text.Append('"');
    }
}
