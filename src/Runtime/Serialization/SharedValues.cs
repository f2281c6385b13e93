using System.Diagnostics.CodeAnalysis;

namespace Concertina.Runtime.Serialization;

/// <summary>The immutable parts of the value being copied on this thread: they are shared, not written.</summary>
internal static class SharedValues
{
    [ThreadStatic]
    private static List<object?>? _values;

    [SuppressMessage("Style", "IDE0060", Justification = "The scope restores what was current.")]
    internal static Scope Enter()
    {
        List<object?>? outer = _values;
        _values = null;
        return new Scope(outer);
    }

    internal static int Add(object? value)
    {
        List<object?> values = _values ??= [];
        values.Add(value);
        return values.Count - 1;
    }

    internal static object? Get(int index) => _values![index];

    internal readonly ref struct Scope(List<object?>? outer)
    {
        internal void Dispose() => _values = outer;
    }
}
