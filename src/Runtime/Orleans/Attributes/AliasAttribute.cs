namespace Orleans;

/// <summary>The name of a type, interface or method on the wire; the C# name may then change.</summary>
/// <param name="alias">Unique among types, or among the methods of an interface.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Interface | AttributeTargets.Struct | AttributeTargets.Enum
    | AttributeTargets.Method, AllowMultiple = true)]
public sealed class AliasAttribute(string alias) : Attribute
{
    /// <summary>Unique among types, or among the methods of an interface.</summary>
    public string Alias { get; } = alias;
}
