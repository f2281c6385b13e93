using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>Outcome of a reservation with the numbers for the rate-limit headers.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.reserve-answer")]
public sealed record ReserveAnswer
{
    /// <summary>What the tenant's rules say.</summary>
    [Id(0)] public required ReserveOutcome Outcome { get; init; }

    /// <summary>Limits and what is left of them; null where the tenant has none.</summary>
    [Id(1)] public RateLimitState? Requests { get; init; }

    /// <summary>Limits and what is left of them; null where the tenant has none.</summary>
    [Id(2)] public RateLimitState? Tokens { get; init; }

    /// <summary>For refusals: milliseconds until a retry can pass.</summary>
    [Id(3)] public int? RetryAfterMs { get; init; }

    /// <summary>Scheduling weight of the tenant, above 0.</summary>
    [Id(4)] public double Weight { get; init; } = 1;

    /// <summary>Priority of the tenant.</summary>
    [Id(5)] public TenantPriority Priority { get; init; }

    /// <summary>Deepest rung the tenant allows, by name; null: no such bound.</summary>
    [Id(6)] public string? FloorRung { get; init; }

    /// <summary>The same in nats per token; null: no such bound.</summary>
    [Id(7)] public double? FloorNats { get; init; }
}
