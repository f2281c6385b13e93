using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What an authorised caller may use.</summary>
/// <param name="TenantId">Tenant id.</param>
/// <param name="Models">Models it may use; null: all.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-facts")]
public sealed record TenantFacts(
    [property: Id(0)] string TenantId,
    [property: Id(1)] string[]? Models);
