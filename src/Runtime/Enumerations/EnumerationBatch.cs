namespace Concertina.Runtime.Enumerations;

/// <summary>The answer to one pull.</summary>
internal readonly record struct EnumerationBatch<T>(BatchKind Kind, T[] Elements);
