using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>Python's slices of lists and strings. Strings are cut between UTF-16 units of whole characters.</summary>
internal static class Slicing
{
    public static object Take(object? subject, long? from, long? to, long? step)
    {
        if (step == 0)
        {
            throw new FormatException("a slice's step is 0");
        }

        return subject switch
        {
            JinjaList list => new JinjaList([.. Select(list.Items, from, to, step ?? 1)]),
            TemplateText text => Join(Select(Operators.Iterate(text), from, to, step ?? 1)),
            Undefined => new JinjaList([]),
            _ => throw new FormatException($"a {ValueText.KindOf(subject)} cannot be sliced"),
        };
    }

    public static TemplateText Join(IEnumerable<object?> texts)
    {
        TemplateTextBuilder joined = new();
        foreach (object? text in texts)
        {
            joined.Append((TemplateText)text!);
        }

        return joined.ToText();
    }

    private static IEnumerable<object?> Select(List<object?> items, long? from, long? to, long step)
    {
        long count = items.Count;
        long Clamp(long bound, long low, long high) => Math.Clamp(bound < 0 ? bound + count : bound, low, high);
        if (step > 0)
        {
            long end = Clamp(to ?? count, 0, count);
            for (long at = Clamp(from ?? 0, 0, count); at < end; at += step)
            {
                yield return items[(int)at];
            }
        }
        else
        {
            long end = to is { } bound ? Clamp(bound, -1, count - 1) : -1;
            for (long at = Clamp(from ?? (count - 1), -1, count - 1); at > end; at += step)
            {
                yield return items[(int)at];
            }
        }
    }
}
