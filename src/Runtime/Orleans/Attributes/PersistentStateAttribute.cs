namespace Orleans.Runtime;

/// <summary>The constructor parameter is a durable state, read before OnActivateAsync.</summary>
/// <param name="stateName">Name of the state within the grain.</param>
/// <param name="storageName">Name of the store; null: <c>Default</c>.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
{
    /// <summary>Name of the state within the grain.</summary>
    public string StateName { get; } = stateName;

    /// <summary>Name of the store; null: <c>Default</c>.</summary>
    public string? StorageName { get; } = storageName;
}
