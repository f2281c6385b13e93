using System.Runtime.CompilerServices;

namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Truth, equality, order, membership and iteration, as Python has them. Errors are <see cref="FormatException"/>s;
/// the expression that asked adds its place.</summary>
internal static class Operators
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long whole => whole != 0,
        double real => real != 0,
        TemplateText text => text.Length > 0,
        JinjaList list => list.Items.Count > 0,
        JinjaMap map => map.IsNamespace || map.Count > 0,
        _ => true,
    };

    public static bool Equals(Rendering rendering, object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        rendering.Visit();
        return AreEqual(rendering, left, right);
    }

    public static int Compare(Rendering rendering, object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        rendering.Visit();
        return Order(rendering, left, right);
    }

    private static bool AreEqual(Rendering rendering, object? left, object? right) => (left, right) switch
    {
        (Undefined, Undefined) => true,
        (TemplateText a, TemplateText b) => a.Length == b.Length && SameText(rendering, a, b),
        (JinjaList a, JinjaList b) => a.Items.Count == b.Items.Count
            && a.Items.Zip(b.Items).All(pair => Equals(rendering, pair.First, pair.Second)),
        (JinjaMap a, JinjaMap b) => a.Count == b.Count
            && a.Keys.TrueForAll(key => b.TryGet(key.Value, out object? other) && Equals(rendering, a[key.Value], other)),
        _ when TryWhole(left, out long a) && TryWhole(right, out long b) => a == b,
        _ when TryReal(left, out double a) && TryReal(right, out double b) => a == b,
        _ => left is null ? right is null : ReferenceEquals(left, right),
    };

    private static int Order(Rendering rendering, object? left, object? right) => (left, right) switch
    {
        (TemplateText a, TemplateText b) => CompareTexts(rendering, a, b),
        (JinjaList a, JinjaList b) => CompareLists(rendering, a.Items, b.Items),
        _ when TryWhole(left, out long a) && TryWhole(right, out long b) => a.CompareTo(b),
        _ when TryReal(left, out double a) && TryReal(right, out double b) => a.CompareTo(b),
        _ => throw new FormatException($"a {ValueText.KindOf(left)} and a {ValueText.KindOf(right)} have no order"),
    };

    public static bool Contains(Rendering rendering, object? container, object? item) => container switch
    {
        TemplateText text when item is TemplateText part => HasPart(rendering, text, part),
        JinjaList list => list.Items.Exists(other => Equals(rendering, other, item)),
        JinjaMap map => item is TemplateText key && map.TryGet(key.Value, out _),
        Undefined => false,
        _ => throw new FormatException($"'in' does not work on a {ValueText.KindOf(container)} with a {ValueText.KindOf(item)} to find"),
    };

    /// <summary>The items of a value; each counts as a step.</summary>
    public static List<object?> Iterate(Rendering rendering, object? value) => value switch
    {
        JinjaList list => Counted(rendering, list.Items),
        JinjaMap map => Counted(rendering, [.. map.Keys]),
        TemplateText text => Characters(rendering, text),
        Undefined => [],
        _ => throw new FormatException($"a {ValueText.KindOf(value)} cannot be iterated over"),
    };

    public static bool TryWhole(object? value, out long whole)
    {
        whole = value switch { long number => number, bool flag => flag ? 1 : 0, _ => 0 };
        return value is long or bool;
    }

    public static bool TryReal(object? value, out double real)
    {
        real = value switch { double number => number, long number => number, bool flag => flag ? 1 : 0, _ => 0 };
        return value is double or long or bool;
    }

    private static int CompareLists(Rendering rendering, List<object?> left, List<object?> right)
    {
        for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!Equals(rendering, left[i], right[i]))
            {
                return Compare(rendering, left[i], right[i]);
            }
        }

        return left.Count.CompareTo(right.Count);
    }

    private static bool SameText(Rendering rendering, TemplateText left, TemplateText right)
    {
        rendering.Count(left.Length);
        return left.Value == right.Value;
    }

    private static int CompareTexts(Rendering rendering, TemplateText left, TemplateText right)
    {
        rendering.Count(Math.Min(left.Length, right.Length));
        return string.CompareOrdinal(left.Value, right.Value);
    }

    private static bool HasPart(Rendering rendering, TemplateText text, TemplateText part)
    {
        rendering.CountSearch(text.Length, part.Length);
        return text.Value.Contains(part.Value, StringComparison.Ordinal);
    }

    private static List<object?> Counted(Rendering rendering, List<object?> items)
    {
        rendering.CountItems(items.Count);
        return items;
    }

    private static List<object?> Characters(Rendering rendering, TemplateText text)
    {
        rendering.CountItems(text.Length);
        List<object?> characters = new(text.Length);
        for (int at = 0; at < text.Length;)
        {
            int length = text.UnitsAt(at);
            characters.Add(text.Slice(at, length));
            at += length;
        }

        return characters;
    }
}
