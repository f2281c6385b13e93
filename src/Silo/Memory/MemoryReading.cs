namespace Concertina.Silo.Memory;

/// <summary>What the container says of its memory at one moment.</summary>
/// <param name="LimitBytes">Its tightest limit; null: none.</param>
/// <param name="AvailableBytes">Bytes that can still be allocated.</param>
public readonly record struct MemoryReading(long? LimitBytes, long AvailableBytes);
