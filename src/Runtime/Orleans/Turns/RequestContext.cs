namespace Orleans.Runtime;

/// <summary>
/// Values that travel with calls, set by the caller and seen by the callee and whatever it calls. A change in the
/// callee does not travel back. Values must be serializable and small.
/// </summary>
public static class RequestContext
{
    private static readonly AsyncLocal<Dictionary<string, object>?> Current = new();

    /// <summary>Names in the context.</summary>
    public static IEnumerable<string> Keys => Current.Value?.Keys ?? Enumerable.Empty<string>();

    /// <summary>Names and values in the context.</summary>
    public static IEnumerable<KeyValuePair<string, object>> Entries =>
        Current.Value ?? Enumerable.Empty<KeyValuePair<string, object>>();

    /// <summary>The value of a name; null when there is none.</summary>
    public static object? Get(string key) => Current.Value is { } values && values.TryGetValue(key, out object? value) ? value : null;

    /// <summary>Sets a value for calls made from here on.</summary>
    public static void Set(string key, object value)
    {
        Dictionary<string, object> values = Current.Value is { } old ? new(old) : [];
        values[key] = value;
        Current.Value = values;
    }

    /// <summary>Removes a value; false when there was none.</summary>
    public static bool Remove(string key)
    {
        if (Current.Value is not { } old || !old.ContainsKey(key))
        {
            return false;
        }

        Dictionary<string, object> values = new(old);
        values.Remove(key);
        Current.Value = values.Count == 0 ? null : values;
        return true;
    }

    /// <summary>Removes all values.</summary>
    public static void Clear() => Current.Value = null;

    // The dictionary is replaced on every change, never changed, so a snapshot is the reference itself.
    internal static Dictionary<string, object>? Snapshot() => Current.Value;

    internal static void Install(Dictionary<string, object>? values) => Current.Value = values;
}
