namespace Orleans;

/// <summary>Fixes the name of a grain class in identities and storage; the C# name may then change.</summary>
/// <param name="grainType">The name; unique among grain classes.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class GrainTypeAttribute(string grainType) : Attribute
{
    internal string Name { get; } = grainType;
}
