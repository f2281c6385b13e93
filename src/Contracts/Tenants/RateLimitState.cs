using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>One rate limit at one moment.</summary>
/// <param name="Limit">Units per minute.</param>
/// <param name="Remaining">Units left now, never below 0.</param>
/// <param name="ResetMs">Milliseconds until the full limit is back.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.rate-limit")]
public sealed record RateLimitState(
    [property: Id(0)] long Limit,
    [property: Id(1)] long Remaining,
    [property: Id(2)] int ResetMs);
