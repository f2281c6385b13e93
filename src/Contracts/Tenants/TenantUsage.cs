using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What a tenant has used, and what is left of its budget.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.tenant-usage")]
public sealed record TenantUsage
{
    /// <summary>Settled requests.</summary>
    [Id(0)] public required long Requests { get; init; }

    /// <summary>Prompt tokens, cached ones included.</summary>
    [Id(1)] public required long PromptTokens { get; init; }

    /// <summary>Of those, tokens whose KV was reused.</summary>
    [Id(2)] public required long CachedTokens { get; init; }

    /// <summary>Generated tokens.</summary>
    [Id(3)] public required long GeneratedTokens { get; init; }

    /// <summary>Tokens reserved by requests that have not ended.</summary>
    [Id(4)] public required long ReservedTokens { get; init; }

    /// <summary>Tokens the tenant may ever use; null: no limit.</summary>
    [Id(5)] public long? TokenBudget { get; init; }

    /// <summary>The last hours in which a request ended, oldest first; at most a week of them.</summary>
    [Id(6)] public UsageHour[] Hours { get; init; } = [];

    /// <summary>Physical bytes of KV memory times the seconds the tenant's sessions held them; what they share is counted once.</summary>
    [Id(7)] public double KvByteSeconds { get; init; }
}
