namespace Concertina.Tokenization.Jinja.Values;

/// <summary>Equality of values for sets; numbers are equal across kinds, as in Python.</summary>
internal sealed class ValueEquality(Rendering rendering) : IEqualityComparer<object>
{
    /// <summary>Stands for none, which a set does not take.</summary>
    public static readonly object None = new();

    public new bool Equals(object? left, object? right) => Operators.Equals(rendering, left, right);

    public int GetHashCode(object value) => value switch
    {
        TemplateText text => text.GetHashCode(),
        JinjaList list => HashCode.Combine(1, list.Items.Count),
        JinjaMap map => HashCode.Combine(2, map.Count),
        Undefined => 0,
        _ => Operators.TryReal(value, out double real) ? real.GetHashCode() : value.GetHashCode(),
    };
}
