using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>A change of a tenant at run time.</summary>
/// <param name="Set">Values to set; null: as before.</param>
/// <param name="Reset">Names (<see cref="TenantFields"/>) that go back to the configuration.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-change")]
public sealed record TenantChange(
    [property: Id(0)] TenantOverrides Set,
    [property: Id(1)] string[] Reset);
