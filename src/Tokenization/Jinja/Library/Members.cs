using Concertina.Tokenization.Jinja.Values;

namespace Concertina.Tokenization.Jinja.Library;

/// <summary>Entries and methods of values. Only what is listed here can be reached.</summary>
internal static class Members
{
    public static object? Attribute(object? subject, string id) => subject switch
    {
        JinjaMap map => MapMethods.Find(map, id) is { } method && !map.IsNamespace ? method : Entry(map, id),
        TemplateText text => (object?)TextMethods.Find(text, id) ?? new Undefined(id),
        Undefined undefined => throw new FormatException($"'{undefined.Name}' is undefined and has no '{id}'"),
        _ => new Undefined(id),
    };

    public static object? Item(object? subject, object? key) => (subject, key) switch
    {
        (JinjaMap map, TemplateText name) => map.TryGet(name.Value, out object? value) ? value : Attribute(map, name.Value),
        (JinjaList list, _) when Operators.TryWhole(key, out long at) => At(list.Items, at),
        (TemplateText text, _) when Operators.TryWhole(key, out long at) => At(Operators.Iterate(text), at),
        (TemplateText text, TemplateText name) => Attribute(text, name.Value),
        (Undefined undefined, _) => throw new FormatException($"'{undefined.Name}' is undefined and has no entries"),
        _ => new Undefined(ValueText.Print(key).Value),
    };

    private static object? Entry(JinjaMap map, string id) => map.TryGet(id, out object? value) ? value : new Undefined(id);

    private static object? At(List<object?> items, long at)
    {
        long index = at < 0 ? at + items.Count : at;
        return index >= 0 && index < items.Count ? items[(int)index] : new Undefined($"entry {at}");
    }
}

/// <summary>Methods of mappings.</summary>
internal static class MapMethods
{
    public static JinjaFunction? Find(JinjaMap map, string id) => id switch
    {
        "items" => new JinjaFunction(id, (_, _) => Items(map)),
        "keys" => new JinjaFunction(id, (_, _) => new JinjaList([.. map.Keys])),
        "values" => new JinjaFunction(id, (_, _) => new JinjaList([.. map.Keys.Select(key => map[key.Value])])),
        "get" => new JinjaFunction(id, (_, arguments) =>
            arguments.Get(0, "key", null) is TemplateText key && map.TryGet(key.Value, out object? value)
                ? value
                : arguments.Get(1, "default", null)),
        _ => null,
    };

    public static JinjaList Items(JinjaMap map) =>
        new([.. map.Keys.Select(key => new JinjaList([key, map[key.Value]]))]);
}
