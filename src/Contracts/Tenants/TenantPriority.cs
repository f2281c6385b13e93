using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>How urgent a tenant's requests are beside those of others. The default is the middle.</summary>
[GenerateSerializer]
[Alias("concertina.tenant-priority")]
public enum TenantPriority
{
    /// <summary>Makes way first.</summary>
    [Id(0)] Low = -1,

    /// <summary>As most tenants are.</summary>
    [Id(1)] Normal = 0,

    /// <summary>Admitted before others, squeezed after them.</summary>
    [Id(2)] High = 1,
}
