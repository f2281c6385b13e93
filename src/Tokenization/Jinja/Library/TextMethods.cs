using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>Methods of strings. What they return keeps the origin of each part.</summary>
internal static class TextMethods
{
    public static JinjaFunction? Find(TemplateText text, string id)
    {
        Func<CallArguments, object?>? body = id switch
        {
            "strip" => arguments => Strip(text, Chars(arguments), start: true, end: true),
            "lstrip" => arguments => Strip(text, Chars(arguments), start: true, end: false),
            "rstrip" => arguments => Strip(text, Chars(arguments), start: false, end: true),
            "upper" => _ => text.WithValue(text.Value.ToUpperInvariant()),
            "lower" => _ => text.WithValue(text.Value.ToLowerInvariant()),
            "title" => _ => Title(text),
            "capitalize" => _ => Capitalize(text),
            "startswith" => arguments => AnyOf(arguments, part => text.Value.StartsWith(part, StringComparison.Ordinal)),
            "endswith" => arguments => AnyOf(arguments, part => text.Value.EndsWith(part, StringComparison.Ordinal)),
            "find" => arguments => (long)text.Value.IndexOf(Text(arguments, 0, "sub").Value, StringComparison.Ordinal),
            "count" => arguments => Count(text.Value, Text(arguments, 0, "sub").Value),
            "isdigit" => _ => text.Length > 0 && text.Value.All(char.IsDigit),
            "isalpha" => _ => text.Length > 0 && text.Value.All(char.IsLetter),
            _ => null,
        };
        return body is not null
            ? new JinjaFunction(id, (rendering, arguments) =>
            {
                CountReading(rendering, text, id, arguments);
                return body(arguments);
            })
            : id switch
            {
                "split" => new JinjaFunction(id, (rendering, arguments) => Split(rendering, text, arguments)),
                "splitlines" => new JinjaFunction(id, (rendering, _) => SplitLines(rendering, text)),
                "replace" => new JinjaFunction(id, (rendering, arguments) => Replace(
                    rendering, text, (Text(arguments, 0, "old"), Text(arguments, 1, "new")), Whole(arguments, 2, "count"))),
                "join" => new JinjaFunction(id, (rendering, arguments) => Join(rendering, arguments.Get(0, "iterable", null), text)),
                _ => null,
            };
    }

    public static TemplateText Strip(TemplateText text, string? chars, bool start, bool end)
    {
        ReadOnlySpan<char> value = text.Value;
        HashSet<char>? set = chars is null ? null : [.. chars];
        bool IsStripped(char unit) => set?.Contains(unit) ?? char.IsWhiteSpace(unit);
        int from = 0;
        while (start && from < value.Length && IsStripped(value[from]))
        {
            from++;
        }

        int to = value.Length;
        while (end && to > from && IsStripped(value[to - 1]))
        {
            to--;
        }

        return text.Slice(from, to - from);
    }

    // A comparison with the start or end reads no more than it compares with.
    private static void CountReading(Rendering rendering, TemplateText text, string id, CallArguments arguments)
    {
        int argumentUnits = 0;
        foreach (object? argument in arguments.Positional)
        {
            argumentUnits = Math.Max(argumentUnits, (argument as TemplateText)?.Length ?? 0);
        }

        if (id is "startswith" or "endswith")
        {
            rendering.CountItems(arguments.Get(0, "prefix", null) is JinjaList parts ? parts.Items.Count : 0);
            rendering.Count(Math.Min(argumentUnits, text.Length));
            return;
        }

        rendering.CountSearch(text.Length, argumentUnits);
    }

    public static TemplateText Title(TemplateText text)
    {
        char[] value = text.Value.ToCharArray();
        bool inWord = false;
        for (int i = 0; i < value.Length; i++)
        {
            value[i] = inWord ? char.ToLowerInvariant(value[i]) : char.ToUpperInvariant(value[i]);
            inWord = char.IsLetter(value[i]);
        }

        return text.WithValue(new string(value));
    }

    public static TemplateText Capitalize(TemplateText text) => text.Length == 0
        ? text
        : text.WithValue(char.ToUpperInvariant(text.Value[0]) + text.Value[1..].ToLowerInvariant());

    public static TemplateText Replace(Rendering rendering, TemplateText text, (TemplateText Old, TemplateText New) pair, long? most)
    {
        rendering.CountSearch(text.Length, pair.Old.Length);
        TemplateTextBuilder replaced = new();
        int done = 0;
        for (long n = 0; n < (most is null or < 0 ? long.MaxValue : most); n++)
        {
            int from = pair.Old.Length == 0 && n > 0 ? done + 1 : done;
            int at = from > text.Length ? -1 : text.Value.IndexOf(pair.Old.Value, from, StringComparison.Ordinal);
            if (at < 0)
            {
                break;
            }

            rendering.Visit();
            rendering.Count(at - done + pair.New.Length);
            replaced.Append(text, done, at - done);
            replaced.Append(pair.New);
            done = at + pair.Old.Length;
        }

        rendering.Count(text.Length - done);
        replaced.Append(text, done, text.Length - done);
        return replaced.ToText();
    }

    public static TemplateText Join(Rendering rendering, object? items, TemplateText between)
    {
        TemplateTextBuilder joined = new();
        bool first = true;
        foreach (object? item in Operators.Iterate(rendering, items))
        {
            TemplateText text = ValueText.Print(rendering, item);
            rendering.Count(text.Length + between.Length);
            if (!first)
            {
                joined.Append(between);
            }

            joined.Append(text);
            first = false;
        }

        return joined.ToText();
    }

    public static TemplateText Text(CallArguments arguments, int place, string name) => arguments.Get(place, name, null) as TemplateText
        ?? throw new FormatException($"argument '{name}' is a {ValueText.KindOf(arguments.Get(place, name, null))}, expected a string");

    public static long? Whole(CallArguments arguments, int place, string name) => arguments.Get(place, name, null) switch
    {
        null => null,
        long whole => whole,
        object other => throw new FormatException($"argument '{name}' is a {ValueText.KindOf(other)}, expected an integer"),
    };

    private static JinjaList Split(Rendering rendering, TemplateText text, CallArguments arguments)
    {
        long most = Whole(arguments, 1, "maxsplit") is { } limit and >= 0 ? limit : long.MaxValue;
        bool onSpace = arguments.Get(0, "sep", null) is null;
        TemplateText separator = onSpace ? TemplateText.Empty : Text(arguments, 0, "sep");
        if (!onSpace && separator.Length == 0)
        {
            throw new FormatException("the separator of 'split' is empty");
        }

        rendering.CountSearch(text.Length, separator.Length);
        List<object?> parts = [];
        int at = 0;
        while (true)
        {
            at = onSpace ? text.Length - text.Value.AsSpan(at).TrimStart().Length : at;
            if (onSpace && at == text.Length)
            {
                break;
            }

            int length = parts.Count >= most ? -1 : NextBreak(text.Value.AsSpan(at), onSpace, separator.Value);
            rendering.CountItems(1);
            if (length < 0)
            {
                TemplateText rest = text.Slice(at, text.Length - at);
                parts.Add(onSpace ? Strip(rest, null, start: false, end: true) : rest);
                break;
            }

            parts.Add(text.Slice(at, length));
            at += length + separator.Length;
        }

        return new JinjaList(parts);
    }

    private static int NextBreak(ReadOnlySpan<char> text, bool onSpace, string separator)
    {
        if (!onSpace)
        {
            return text.IndexOf(separator, StringComparison.Ordinal);
        }

        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static JinjaList SplitLines(Rendering rendering, TemplateText text)
    {
        rendering.Count(text.Length);
        List<object?> lines = [];
        for (int at = 0; at < text.Length;)
        {
            int length = text.Value.AsSpan(at).IndexOfAny('\n', '\r');
            length = length < 0 ? text.Length - at : length;
            rendering.CountItems(1);
            lines.Add(text.Slice(at, length));
            at += length;
            at += at + 1 < text.Length && text.Value[at] == '\r' && text.Value[at + 1] == '\n' ? 2 : 1;
        }

        return new JinjaList(lines);
    }

    private static string? Chars(CallArguments arguments) =>
        arguments.Get(0, "chars", null) is null ? null : Text(arguments, 0, "chars").Value;

    private static bool AnyOf(CallArguments arguments, Func<string, bool> holds) => arguments.Get(0, "prefix", null) switch
    {
        TemplateText part => holds(part.Value),
        JinjaList parts => parts.Items.Exists(part => part is TemplateText text && holds(text.Value)),
        var other => throw new FormatException($"expected a string to compare with, found a {ValueText.KindOf(other)}"),
    };

    private static long Count(string text, string part)
    {
        if (part.Length == 0)
        {
            return text.Length + 1;
        }

        long count = 0;
        for (int at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }
}
