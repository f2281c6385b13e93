namespace Concertina.Runtime.Serialization;

/// <summary>Copies values of one type.</summary>
internal abstract class ValueCopier
{
    internal abstract object? Copy(object value);
}
