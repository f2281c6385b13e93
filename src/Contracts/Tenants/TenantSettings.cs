using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What holds for a tenant now, and where each value comes from.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-settings")]
public sealed record TenantSettings
{
    /// <summary>Share against other tenants, above 0.</summary>
    [Id(0)] public required double Weight { get; init; }

    /// <summary>Priority.</summary>
    [Id(1)] public required TenantPriority Priority { get; init; }

    /// <summary>Deepest rung (a name, or nats per token as text) of requests that ask for less; null: the engine's default.</summary>
    [Id(2)] public required string? DefaultFloor { get; init; }

    /// <summary>Requests a minute; null: no limit.</summary>
    [Id(3)] public required long? RequestsPerMinute { get; init; }

    /// <summary>Tokens a minute; null: no limit.</summary>
    [Id(4)] public required long? TokensPerMinute { get; init; }

    /// <summary>Tokens the tenant may ever use; null: no limit.</summary>
    [Id(5)] public required long? TokenBudget { get; init; }

    /// <summary>Names (<see cref="TenantFields"/>) of what was set at run time.</summary>
    [Id(6)] public required string[] SetAtRunTime { get; init; }

    /// <summary>Names of what the configuration sets, what was set over it included.</summary>
    [Id(7)] public required string[] Configured { get; init; }
}
