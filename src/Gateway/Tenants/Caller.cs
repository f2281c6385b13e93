namespace Concertina.Gateway.Tenants;

/// <summary>Who sent a request.</summary>
/// <param name="TenantId">Tenant the key belongs to.</param>
/// <param name="KeySha256">SHA-256 of the presented key; empty on a server without keys. The tenant's grain checks it again.</param>
internal sealed record Caller(string TenantId, byte[] KeySha256);
