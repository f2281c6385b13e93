using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What was set of a tenant at run time, over its configuration. Null: the configuration's value holds.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-overrides")]
public sealed record TenantOverrides
{
    /// <summary>A limit that is none, over a configured one.</summary>
    public const long NoLimit = 0;

    /// <summary>A default floor that is none, over a configured one.</summary>
    public const string NoFloor = "";

    /// <summary>Share against other tenants, above 0.</summary>
    [Id(0)] public double? Weight { get; init; }

    /// <summary>Priority.</summary>
    [Id(1)] public TenantPriority? Priority { get; init; }

    /// <summary>A rung's name or nats per token, as text; <see cref="NoFloor"/>: none.</summary>
    [Id(2)] public string? DefaultFloor { get; init; }

    /// <summary>Requests a minute; <see cref="NoLimit"/>: none.</summary>
    [Id(3)] public long? RequestsPerMinute { get; init; }

    /// <summary>Tokens a minute; <see cref="NoLimit"/>: none.</summary>
    [Id(4)] public long? TokensPerMinute { get; init; }

    /// <summary>Tokens the tenant may ever use; <see cref="NoLimit"/>: none.</summary>
    [Id(5)] public long? TokenBudget { get; init; }
}
