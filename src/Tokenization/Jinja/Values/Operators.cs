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

    public static new bool Equals(object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return AreEqual(left, right);
    }

    public static int Compare(object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return Order(left, right);
    }

    private static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (Undefined, Undefined) => true,
        (TemplateText a, TemplateText b) => a.Value == b.Value,
        (JinjaList a, JinjaList b) => a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => Equals(pair.First, pair.Second)),
        (JinjaMap a, JinjaMap b) => a.Count == b.Count
            && a.Keys.TrueForAll(key => b.TryGet(key.Value, out object? other) && Equals(a[key.Value], other)),
        _ when TryWhole(left, out long a) && TryWhole(right, out long b) => a == b,
        _ when TryReal(left, out double a) && TryReal(right, out double b) => a == b,
        _ => left is null ? right is null : ReferenceEquals(left, right),
    };

    private static int Order(object? left, object? right) => (left, right) switch
    {
        (TemplateText a, TemplateText b) => string.CompareOrdinal(a.Value, b.Value),
        (JinjaList a, JinjaList b) => CompareLists(a.Items, b.Items),
        _ when TryWhole(left, out long a) && TryWhole(right, out long b) => a.CompareTo(b),
        _ when TryReal(left, out double a) && TryReal(right, out double b) => a.CompareTo(b),
        _ => throw new FormatException($"a {ValueText.KindOf(left)} and a {ValueText.KindOf(right)} have no order"),
    };

    public static bool Contains(object? container, object? item) => container switch
    {
        TemplateText text when item is TemplateText part => text.Value.Contains(part.Value, StringComparison.Ordinal),
        JinjaList list => list.Items.Exists(other => Equals(other, item)),
        JinjaMap map => item is TemplateText key && map.TryGet(key.Value, out _),
        Undefined => false,
        _ => throw new FormatException($"'in' does not work on a {ValueText.KindOf(container)} with a {ValueText.KindOf(item)} to find"),
    };

    public static List<object?> Iterate(object? value) => value switch
    {
        JinjaList list => list.Items,
        JinjaMap map => [.. map.Keys],
        TemplateText text => Characters(text),
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

    private static int CompareLists(List<object?> left, List<object?> right)
    {
        for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!Equals(left[i], right[i]))
            {
                return Compare(left[i], right[i]);
            }
        }

        return left.Count.CompareTo(right.Count);
    }

    private static List<object?> Characters(TemplateText text)
    {
        List<object?> characters = [];
        for (int at = 0; at < text.Length;)
        {
            int length = char.IsHighSurrogate(text.Value[at]) && at + 1 < text.Length && char.IsLowSurrogate(text.Value[at + 1]) ? 2 : 1;
            characters.Add(text.Slice(at, length));
            at += length;
        }

        return characters;
    }
}
