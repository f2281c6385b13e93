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

    /// <summary>Takes up what the tenant's sessions hold on one worker; idempotent, because totals are told.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("charge")]
    Task Charge(KvCharge charge, CancellationToken cancellation = default);

    /// <summary>What holds for the tenant now. The caller has checked who asks.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("settings")]
    Task<TenantSettings> Settings(CancellationToken cancellation = default);

    /// <summary>
    /// Changes what holds for the tenant, from the next request on and over restarts, until it is changed back. All or nothing; it
    /// is durable when this completes. Repeating it changes nothing. The caller has checked that the operator asks.
    /// </summary>
    [ResponseTimeout("00:00:05")]
    [Alias("change")]
    Task<TenantChangeAnswer> Change(TenantChange change, CancellationToken cancellation = default);
}
