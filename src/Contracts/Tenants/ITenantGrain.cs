using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>Keys, permissions, rate limits and budgets of one tenant. Key: tenant id. Exact under several gateways.</summary>
[Alias("concertina.tenant")]
public interface ITenantGrain : IGrainWithStringKey
{
    /// <summary>Checks the key and reserves tokens for one request: one call per request. The reservation is corrected by <see cref="Settle"/>.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("reserve")]
    Task<ReserveAnswer> Reserve(ReserveRequest request, CancellationToken cancellation = default);

    /// <summary>Records what a request used; idempotent per request id.</summary>
    [Alias("settle")]
    Task Settle(UsageRecord usage, CancellationToken cancellation = default);

    /// <summary>Checks a key and says what it may use.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("authorize")]
    Task<TenantFacts?> Authorize(byte[] keySha256, CancellationToken cancellation = default);

    /// <summary>What the tenant has used so far. The caller has checked who asks.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("usage")]
    Task<TenantUsage> Usage(CancellationToken cancellation = default);
}
