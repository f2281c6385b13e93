namespace Concertina.Compute.Engine;

/// <summary>What a tenant's sequences hold of a KV cache, and have held.</summary>
/// <param name="TenantId">Tenant.</param>
/// <param name="Bytes">Physical bytes that its tables refer to now, what they share counted once.</param>
/// <param name="ByteSeconds">Those bytes times the seconds they were held, since the engine started.</param>
public readonly record struct TenantKv(string TenantId, long Bytes, double ByteSeconds);
