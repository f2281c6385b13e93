using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>The filters of lists and mappings.</summary>
internal static class ListFilters
{
    public static readonly Dictionary<string, FilterBody> All = new(StringComparer.Ordinal)
    {
        ["length"] = (_, subject, _) => Length(subject),
        ["count"] = (_, subject, _) => Length(subject),
        ["first"] = (_, subject, _) => Operators.Iterate(subject) is [var first, ..] ? first : new Undefined("the first of no items"),
        ["last"] = (_, subject, _) => Operators.Iterate(subject) is [.., var last] ? last : new Undefined("the last of no items"),
        ["list"] = (_, subject, _) => new JinjaList([.. Operators.Iterate(subject)]),
        ["items"] = (_, subject, _) => subject switch
        {
            JinjaMap map => MapMethods.Items(map),
            Undefined => new JinjaList([]),
            _ => throw new FormatException($"'items' does not work on a {ValueText.KindOf(subject)}"),
        },
        ["reverse"] = (_, subject, _) => subject is TemplateText text
            ? Slicing.Take(text, null, null, -1)
            : new JinjaList([.. Operators.Iterate(subject).AsEnumerable().Reverse()]),
        ["sort"] = (_, subject, arguments) => Sort(subject, arguments),
        ["dictsort"] = (_, subject, _) => new JinjaList([.. Operators.Iterate(MapMethods.Items(Map(subject)))
            .OrderBy(pair => Members.Item(pair, 0L), Comparer<object?>.Create(CompareIgnoringCase))]),
        ["unique"] = (_, subject, _) => Unique(subject),
        ["min"] = (_, subject, _) => Operators.Iterate(subject).Min(Comparer<object?>.Create(Operators.Compare)),
        ["max"] = (_, subject, _) => Operators.Iterate(subject).Max(Comparer<object?>.Create(Operators.Compare)),
        ["sum"] = (rendering, subject, _) =>
            Operators.Iterate(subject).Aggregate((object)0L, (total, item) => Arithmetic.Compute(rendering, "+", total, item)),
        ["map"] = Map,
        ["select"] = (_, subject, arguments) => Where(subject, arguments, byAttribute: false, keeps: true),
        ["reject"] = (_, subject, arguments) => Where(subject, arguments, byAttribute: false, keeps: false),
        ["selectattr"] = (_, subject, arguments) => Where(subject, arguments, byAttribute: true, keeps: true),
        ["rejectattr"] = (_, subject, arguments) => Where(subject, arguments, byAttribute: true, keeps: false),
    };

    public static TemplateText Join(Rendering rendering, object? subject, CallArguments arguments)
    {
        object? items = arguments.Get(1, "attribute", null) is TemplateText path
            ? new JinjaList([.. Operators.Iterate(subject).Select(item => AttributeOf(item, path.Value))])
            : subject;
        return TextMethods.Join(rendering, items, ValueText.Print(arguments.Get(0, "d", TemplateText.Empty)));
    }

    private static long Length(object? subject) => subject switch
    {
        TemplateText text => Operators.Iterate(text).Count,
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
            return new JinjaList([.. Operators.Iterate(subject).Select(item =>
                AttributeOf(item, path.Value) is var value && value is Undefined && hasDefault ? fallback : value)]);
        }

        FilterBody filter = FilterCatalog.Of(TextMethods.Text(arguments, 0, "filter").Value);
        CallArguments rest = new(arguments.Positional[1..], arguments.Named);
        return new JinjaList([.. Operators.Iterate(subject).Select(item => filter(rendering, item, rest))]);
    }

    private static JinjaList Where(object? subject, CallArguments arguments, bool byAttribute, bool keeps)
    {
        int skip = byAttribute ? 1 : 0;
        string? path = byAttribute ? TextMethods.Text(arguments, 0, "attribute").Value : null;
        Func<object?, CallArguments, bool> test = arguments.Positional.Count > skip
            ? TestCatalog.Of(TextMethods.Text(arguments, skip, "test").Value)
            : (value, _) => Operators.IsTrue(value);
        CallArguments rest = new(arguments.Positional.Count > skip ? arguments.Positional[(skip + 1)..] : [], arguments.Named);
        return new JinjaList([.. Operators.Iterate(subject)
            .Where(item => test(path is null ? item : AttributeOf(item, path), rest) == keeps)]);
    }

    private static JinjaList Sort(object? subject, CallArguments arguments)
    {
        bool descending = Operators.IsTrue(arguments.Get(0, "reverse", false));
        bool exact = Operators.IsTrue(arguments.Get(1, "case_sensitive", false));
        string? path = (arguments.Get(2, "attribute", null) as TemplateText)?.Value;
        Comparer<object?> order = Comparer<object?>.Create(exact ? Operators.Compare : CompareIgnoringCase);
        List<object?> items = Operators.Iterate(subject);
        object? Key(object? item) => path is null ? item : AttributeOf(item, path);
        return new JinjaList([.. descending ? items.OrderByDescending(Key, order) : items.OrderBy(Key, order)]);
    }

    private static JinjaList Unique(object? subject)
    {
        List<object?> seen = [];
        foreach (object? item in Operators.Iterate(subject))
        {
            if (!seen.Exists(other => CompareEqualIgnoringCase(other, item)))
            {
                seen.Add(item);
            }
        }

        return new JinjaList(seen);
    }

    private static bool CompareEqualIgnoringCase(object? left, object? right) => Operators.Equals(Folded(left), Folded(right));

    private static int CompareIgnoringCase(object? left, object? right) => Operators.Compare(Folded(left), Folded(right));

    private static object? Folded(object? value) =>
        value is TemplateText text ? text.WithValue(text.Value.ToLowerInvariant()) : value;

    // "a.b.0": entries by name or place, one after another.
    private static object? AttributeOf(object? item, string path) => path.Split('.').Aggregate(item, (value, name) =>
        value is Undefined ? value
        : long.TryParse(name, out long at) ? Members.Item(value, at)
        : Members.Item(value, TemplateText.OfTemplate(name)));
}
