namespace Concertina.Runtime.Storage;

/// <summary>A stored value with its version.</summary>
/// <param name="Value">The serialized value.</param>
/// <param name="Etag">Version; changes with every write.</param>
public sealed record StateRecord(ReadOnlyMemory<byte> Value, string Etag);
