using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine;

/// <summary>Whose sequence it is.</summary>
/// <param name="Key">Unique key, <c>tenant/session</c>.</param>
/// <param name="TenantId">Tenant; the unit of fair scheduling.</param>
/// <param name="Scope">Who may share its prefix columns.</param>
public readonly record struct SequenceIdentity(string Key, string TenantId, PrefixScope Scope);
