using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>Python's slices of lists and strings. Strings are cut between whole characters.</summary>
internal static class Slicing
{
    /// <summary>The three parts of a slice, each of which may be absent.</summary>
    internal readonly record struct Bounds(long? From, long? To, long? Step);

    public static object Take(Rendering rendering, object? subject, Bounds bounds)
    {
        if (bounds.Step == 0)
        {
            throw new FormatException("a slice's step is 0");
        }

        return subject switch
        {
            JinjaList list => TakeItems(rendering, list.Items, bounds),
            TemplateText text => TakeText(rendering, text, bounds),
            Undefined => new JinjaList([]),
            _ => throw new FormatException($"a {ValueText.KindOf(subject)} cannot be sliced"),
        };
    }

    private static JinjaList TakeItems(Rendering rendering, List<object?> items, Bounds bounds)
    {
        Walk walk = Walk.Over(items.Count, bounds);
        rendering.CountItems(walk.Count);
        List<object?> taken = new(walk.Count);
        for (int i = 0; i < walk.Count; i++)
        {
            taken.Add(items[walk.At(i)]);
        }

        return new JinjaList(taken);
    }

    private static TemplateText TakeText(Rendering rendering, TemplateText text, Bounds bounds)
    {
        Walk walk = Walk.Over(text.CharacterCount, bounds);
        rendering.Count(walk.Count);
        if (walk.Count == 0)
        {
            return TemplateText.Empty;
        }

        if (walk.Step == 1)
        {
            int start = text.UnitOf(rendering, walk.First);
            return text.Slice(start, text.UnitOf(rendering, walk.First + walk.Count) - start);
        }

        int[]? units = text.CharacterCount == text.Length ? null : UnitsOf(rendering, text);
        TemplateTextBuilder taken = new();
        for (int i = 0; i < walk.Count; i++)
        {
            int unit = units is null ? walk.At(i) : units[walk.At(i)];
            taken.Append(text, unit, text.UnitsAt(unit));
        }

        return taken.ToText();
    }

    private static int[] UnitsOf(Rendering rendering, TemplateText text)
    {
        rendering.Count(text.Length);
        int[] units = new int[text.CharacterCount];
        for (int at = 0, i = 0; at < text.Length; at += text.UnitsAt(at))
        {
            units[i++] = at;
        }

        return units;
    }

    /// <summary>The places a slice takes.</summary>
    private readonly record struct Walk(int First, long Step, int Count)
    {
        public int At(int i) => (int)(First + (i * Step));

        public static Walk Over(int count, Bounds bounds)
        {
            long Clamp(long bound, long low, long high) => Math.Clamp(bound < 0 ? bound + count : bound, low, high);

            // A longer step takes the first place alone, as one of the whole length does.
            long step = Math.Clamp(bounds.Step ?? 1, -count - 1L, count + 1L);
            long first = step > 0 ? Clamp(bounds.From ?? 0, 0, count) : Clamp(bounds.From ?? (count - 1), -1, count - 1);
            long end = step > 0 ? Clamp(bounds.To ?? count, 0, count) : bounds.To is { } to ? Clamp(to, -1, count - 1) : -1;
            long distance = step > 0 ? end - first : first - end;
            return new Walk((int)first, step, (int)Math.Max(0, (distance + Math.Abs(step) - 1) / Math.Abs(step)));
        }
    }
}
