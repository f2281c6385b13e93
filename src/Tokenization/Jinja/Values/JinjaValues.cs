namespace Concertina.Tokenization.Jinja.Values;

// Values of the language: null is none; bool, long and double are themselves; TemplateText is a string;
// the types below are the rest.

/// <summary>The value of a name that nobody set. Prints as nothing; most uses are errors.</summary>
internal sealed class Undefined(string name)
{
    public string Name { get; } = name;
}

/// <summary>A list or tuple.</summary>
internal sealed class JinjaList(List<object?> items)
{
    public List<object?> Items { get; } = items;
}

/// <summary>A mapping with string keys, in the order of insertion.</summary>
internal sealed class JinjaMap
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    /// <summary>Keys in order.</summary>
    public List<TemplateText> Keys { get; } = [];

    /// <summary>Whether <c>set map.key</c> may change it, which only <c>namespace()</c> values allow.</summary>
    public bool IsNamespace { get; init; }

    public int Count => Keys.Count;

    public object? this[string key] => _values[key];

    public void Set(TemplateText key, object? value)
    {
        if (!_values.ContainsKey(key.Value))
        {
            Keys.Add(key);
        }

        _values[key.Value] = value;
    }

    public bool TryGet(string key, out object? value) => _values.TryGetValue(key, out value);
}

/// <summary>Arguments of a call.</summary>
internal sealed record CallArguments(List<object?> Positional, Dictionary<string, object?> Named)
{
    public int Count => Positional.Count + Named.Count;

    /// <summary>The argument at a place or of a name, or a default.</summary>
    public object? Get(int place, string name, object? fallback) =>
        place < Positional.Count ? Positional[place] : Named.GetValueOrDefault(name, fallback);
}

/// <summary>Something that can be called.</summary>
internal sealed class JinjaFunction(string name, Func<Rendering, CallArguments, object?> body)
{
    public string Name { get; } = name;

    public object? Call(Rendering rendering, CallArguments arguments) => body(rendering, arguments);
}
