using System.Globalization;
using System.Text;
using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>The value of <c>raise_exception</c>: calling it refuses the conversation.</summary>
internal sealed class TemplateRefusal;

/// <summary>The functions that every template may call.</summary>
internal static class Globals
{
    public static void AddTo(Scope scope)
    {
        scope.Set("raise_exception", new TemplateRefusal());
        scope.Set("range", new JinjaFunction("range", Range));
        scope.Set("namespace", new JinjaFunction("namespace", (rendering, arguments) => MapOf(rendering, arguments, isNamespace: true)));
        scope.Set("dict", new JinjaFunction("dict", (rendering, arguments) => MapOf(rendering, arguments, isNamespace: false)));
        scope.Set("strftime_now", new JinjaFunction("strftime_now", (rendering, arguments) =>
            TemplateText.OfTemplate(Format(rendering.Clock.GetLocalNow(), TextMethods.Text(arguments, 0, "format").Value))));
    }

    private static JinjaList Range(Rendering rendering, CallArguments arguments)
    {
        long Bound(int place) => TextMethods.Whole(arguments, place, "bound") ?? throw new FormatException("'range' needs integers");
        (long from, long to, long step) = arguments.Positional.Count switch
        {
            1 => (0L, Bound(0), 1L),
            2 => (Bound(0), Bound(1), 1L),
            3 => (Bound(0), Bound(1), Bound(2)),
            _ => throw new FormatException("'range' takes one to three integers"),
        };
        if (step == 0)
        {
            throw new FormatException("the step of 'range' is 0");
        }

        decimal count = Math.Max(0, Math.Ceiling(((decimal)to - from) / step));
        rendering.CountItems((long)Math.Min(count, long.MaxValue));
        return new JinjaList([.. Enumerable.Range(0, (int)count).Select(i => (object?)(from + (i * step)))]);
    }

    private static JinjaMap MapOf(Rendering rendering, CallArguments arguments, bool isNamespace)
    {
        JinjaMap map = new() { IsNamespace = isNamespace };
        if (arguments.Positional is [JinjaMap source, ..])
        {
            rendering.CountItems(source.Count);
            source.Keys.ForEach(key => map.Set(key, source[key.Value]));
        }

        foreach ((string name, object? value) in arguments.Named)
        {
            map.Set(TemplateText.OfTemplate(name), value);
        }

        return map;
    }

    // The codes of C's strftime that templates use, in English.
    private static string Format(DateTimeOffset now, string format)
    {
        StringBuilder text = new();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            bool unpadded = format[i + 1] == '-' && i + 2 < format.Length;
            i += unpadded ? 2 : 1;
            string value = CodeOf(now, format[i]);
            text.Append(unpadded ? value.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0" : value);
        }

        return text.ToString();
    }

    private static string CodeOf(DateTimeOffset now, char code)
    {
        string? pattern = code switch
        {
            'd' => "dd",
            'm' => "MM",
            'b' => "MMM",
            'B' => "MMMM",
            'y' => "yy",
            'Y' => "yyyy",
            'H' => "HH",
            'I' => "hh",
            'M' => "mm",
            'S' => "ss",
            'p' => "tt",
            'a' => "ddd",
            'A' => "dddd",
            'F' => "yyyy-MM-dd",
            'T' => "HH:mm:ss",
            _ => null,
        };
        return (code, pattern) switch
        {
            ('%', _) => "%",
            ('j', _) => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            (_, null) => throw new FormatException($"strftime_now does not know '%{code}'"),
            _ => now.ToString(pattern, CultureInfo.InvariantCulture),
        };
    }
}
