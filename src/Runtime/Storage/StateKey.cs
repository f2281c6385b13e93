namespace Concertina.Runtime.Storage;

/// <summary>Names one durable state.</summary>
/// <param name="Grain">Identity of the grain, <c>type/key</c>; any characters.</param>
/// <param name="State">Name of the state within the grain.</param>
public readonly record struct StateKey(string Grain, string State);
