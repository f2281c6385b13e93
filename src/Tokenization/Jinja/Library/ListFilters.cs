using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>The filters of lists and mappings.</summary>
internal static class ListFilters
{
    public static readonly Dictionary<string, FilterBody> All = new(StringComparer.Ordinal)
    {
        ["length"] = (_, subject, _) => Length(subject),
        ["count"] = (_, subject, _) => Length(subject),
        ["first"] = (rendering, subject, _) => End(rendering, subject, 0),
        ["last"] = (rendering, subject, _) => End(rendering, subject, -1),
        ["list"] = (rendering, subject, _) => new JinjaList([.. Operators.Iterate(rendering, subject)]),
        ["items"] = (rendering, subject, _) => subject switch
        {
            JinjaMap map => MapMethods.Items(rendering, map),
            Undefined => new JinjaList([]),
            _ => throw new FormatException($"'items' does not work on a {ValueText.KindOf(subject)}"),
        },
        ["reverse"] = (rendering, subject, _) => subject is TemplateText text
            ? Slicing.Take(rendering, text, new Slicing.Bounds(null, null, -1))
            : new JinjaList([.. Operators.Iterate(rendering, subject).AsEnumerable().Reverse()]),
        ["sort"] = Sort,
        ["dictsort"] = (rendering, subject, _) => new JinjaList([.. MapMethods.Items(rendering, Map(subject)).Items
            .OrderBy(pair => Folded(rendering, ((JinjaList)pair!).Items[0]), OrderOf(rendering))]),
        ["unique"] = (rendering, subject, _) => Unique(rendering, subject),
        ["min"] = (rendering, subject, _) => Operators.Iterate(rendering, subject).Min(OrderOf(rendering)),
        ["max"] = (rendering, subject, _) => Operators.Iterate(rendering, subject).Max(OrderOf(rendering)),
        ["sum"] = (rendering, subject, _) =>
            Operators.Iterate(rendering, subject).Aggregate((object)0L, (total, item) => Arithmetic.Compute(rendering, "+", total, item)),
        ["map"] = Map,
        ["select"] = (rendering, subject, arguments) => Where(rendering, subject, arguments, keeps: true),
        ["reject"] = (rendering, subject, arguments) => Where(rendering, subject, arguments, keeps: false),
        ["selectattr"] = (rendering, subject, arguments) => WhereAttribute(rendering, subject, arguments, keeps: true),
        ["rejectattr"] = (rendering, subject, arguments) => WhereAttribute(rendering, subject, arguments, keeps: false),
    };

    public static TemplateText Join(Rendering rendering, object? subject, CallArguments arguments)
    {
        object? items = arguments.Get(1, "attribute", null) is TemplateText path
            ? new JinjaList([.. Operators.Iterate(rendering, subject).Select(item => AttributeOf(rendering, item, path.Value))])
            : subject;
        return TextMethods.Join(rendering, items, ValueText.Print(rendering, arguments.Get(0, "d", TemplateText.Empty)));
    }

    private static long Length(object? subject) => subject switch
    {
        TemplateText text => text.CharacterCount,
        JinjaList list => list.Items.Count,
        JinjaMap map => map.Count,
        Undefined => 0,
        _ => throw new FormatException($"a {ValueText.KindOf(subject)} has no length"),
    };

    private static JinjaMap Map(object? subject) =>
        subject as JinjaMap ?? throw new FormatException($"expected a mapping, found a {ValueText.KindOf(subject)}");

    private static JinjaList Map(Rendering rendering, object? subject, CallArguments arguments)
    {
        if (arguments.Named.TryGetValue("attribute", out object? attribute) && attribute is TemplateText path)
        {
            bool hasDefault = arguments.Named.TryGetValue("default", out object? fallback);
            return new JinjaList([.. Operators.Iterate(rendering, subject).Select(item =>
                AttributeOf(rendering, item, path.Value) is var value && value is Undefined && hasDefault ? fallback : value)]);
        }

        string id = TextMethods.Text(arguments, 0, "filter").Value;
        CallArguments rest = new([.. arguments.Positional.Skip(1)], arguments.Named);
        return new JinjaList([.. Operators.Iterate(rendering, subject).Select(item => FilterCatalog.Apply(rendering, id, item, rest))]);
    }

    private static object? End(Rendering rendering, object? subject, long at) => subject switch
    {
        TemplateText { Length: > 0 } or JinjaList { Items.Count: > 0 } => Members.Item(rendering, subject, at),
        _ => Operators.Iterate(rendering, subject) is { Count: > 0 } items ? items[at < 0 ? ^1 : 0] : new Undefined("an end of no items"),
    };

    private static JinjaList WhereAttribute(Rendering rendering, object? subject, CallArguments arguments, bool keeps)
    {
        string path = TextMethods.Text(arguments, 0, "attribute").Value;
        CallArguments rest = new([.. arguments.Positional.Skip(1)], arguments.Named);
        Func<object?, bool> test = TestOf(rendering, rest);
        return new JinjaList([.. Operators.Iterate(rendering, subject).Where(item => test(AttributeOf(rendering, item, path)) == keeps)]);
    }

    private static JinjaList Where(Rendering rendering, object? subject, CallArguments arguments, bool keeps)
    {
        Func<object?, bool> test = TestOf(rendering, arguments);
        return new JinjaList([.. Operators.Iterate(rendering, subject).Where(item => test(item) == keeps)]);
    }

    // The test that the first argument names, with the other arguments; truth where there is none.
    private static Func<object?, bool> TestOf(Rendering rendering, CallArguments arguments)
    {
        if (arguments.Positional.Count == 0)
        {
            return Operators.IsTrue;
        }

        Func<Rendering, object?, CallArguments, bool> test = TestCatalog.Of(TextMethods.Text(arguments, 0, "test").Value);
        CallArguments rest = new(arguments.Positional[1..], arguments.Named);
        return value => test(rendering, value, rest);
    }

    private static JinjaList Sort(Rendering rendering, object? subject, CallArguments arguments)
    {
        bool descending = Operators.IsTrue(arguments.Get(0, "reverse", false));
        bool exact = Operators.IsTrue(arguments.Get(1, "case_sensitive", false));
        string? path = (arguments.Get(2, "attribute", null) as TemplateText)?.Value;
        List<object?> items = Operators.Iterate(rendering, subject);
        object? Key(object? item)
        {
            object? key = path is null ? item : AttributeOf(rendering, item, path);
            return exact ? key : Folded(rendering, key);
        }

        return new JinjaList([.. descending ? items.OrderByDescending(Key, OrderOf(rendering)) : items.OrderBy(Key, OrderOf(rendering))]);
    }

    private static JinjaList Unique(Rendering rendering, object? subject)
    {
        HashSet<object> seen = new(new ValueEquality(rendering));
        return new JinjaList(Operators.Iterate(rendering, subject).FindAll(item => seen.Add(Folded(rendering, item) ?? ValueEquality.None)));
    }

    private static Comparer<object?> OrderOf(Rendering rendering) =>
        Comparer<object?>.Create((left, right) => Operators.Compare(rendering, left, right));

    private static object? Folded(Rendering rendering, object? value)
    {
        if (value is not TemplateText text)
        {
            return value;
        }

        rendering.Count(text.Length);
        return text.WithValue(text.Value.ToLowerInvariant());
    }

    // "a.b.0": entries by name or place, one after another.
    private static object? AttributeOf(Rendering rendering, object? item, string path)
    {
        object? value = item;
        foreach (string name in path.Split('.'))
        {
            rendering.Visit();
            value = value is Undefined ? value
                : long.TryParse(name, out long at) ? Members.Item(rendering, value, at)
                : Members.Item(rendering, value, TemplateText.OfTemplate(name));
        }

        return value;
    }
}
