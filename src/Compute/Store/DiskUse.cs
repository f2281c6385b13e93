namespace Concertina.Compute.Store;

/// <summary>What sessions take on disk.</summary>
/// <param name="Bytes">Bytes of files with units.</param>
/// <param name="Sessions">Sessions that have one.</param>
public readonly record struct DiskUse(long Bytes, int Sessions);
