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

    public static object? Item(Rendering rendering, object? subject, object? key) => (subject, key) switch
    {
        (JinjaMap map, TemplateText name) => map.TryGet(name.Value, out object? value) ? value : Attribute(map, name.Value),
        (JinjaList list, _) when Operators.TryWhole(key, out long at) => At(list.Items, at),
        (TemplateText text, _) when Operators.TryWhole(key, out long at) => CharacterAt(rendering, text, at),
        (TemplateText text, TemplateText name) => Attribute(text, name.Value),
        (Undefined undefined, _) => throw new FormatException($"'{undefined.Name}' is undefined and has no entries"),
        _ => new Undefined(key is TemplateText name ? name.Value : $"entry {(key is long or double or bool ? key : ValueText.KindOf(key))}"),
    };

    private static object? Entry(JinjaMap map, string id) => map.TryGet(id, out object? value) ? value : new Undefined(id);

    private static object CharacterAt(Rendering rendering, TemplateText text, long at)
    {
        long index = at < 0 ? at + text.CharacterCount : at;
        if (index < 0 || index >= text.CharacterCount)
        {
            return new Undefined($"entry {at}");
        }

        int unit = text.UnitOf(rendering, (int)index);
        return text.Slice(unit, text.UnitsAt(unit));
    }

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
        "items" => new JinjaFunction(id, (rendering, _) => Items(rendering, map)),
        "keys" => new JinjaFunction(id, (rendering, _) => new JinjaList(Operators.Iterate(rendering, map))),
        "values" => new JinjaFunction(id, (rendering, _) => new JinjaList(Operators.Iterate(rendering, map).ConvertAll(key => map[((TemplateText)key!).Value]))),
        "get" => new JinjaFunction(id, (_, arguments) =>
            arguments.Get(0, "key", null) is TemplateText key && map.TryGet(key.Value, out object? value)
                ? value
                : arguments.Get(1, "default", null)),
        _ => null,
    };

    public static JinjaList Items(Rendering rendering, JinjaMap map) =>
        new(Operators.Iterate(rendering, map).ConvertAll(key => (object?)new JinjaList([key, map[((TemplateText)key!).Value]])));
}
