using Concertina.Contracts.Tenants;
using Orleans;

namespace Concertina.Grains.Tenants;

/// <summary>Durable usage of one tenant.</summary>
[GenerateSerializer]
[Alias("concertina.tenant-state")]
public sealed record TenantState
{
    /// <summary>Settled requests.</summary>
    [Id(0)] public long Requests { get; init; }

    /// <summary>Prompt tokens, cached ones included.</summary>
    [Id(1)] public long PromptTokens { get; init; }

    /// <summary>Of those, tokens whose KV was reused.</summary>
    [Id(2)] public long CachedTokens { get; init; }

    /// <summary>Generated tokens.</summary>
    [Id(3)] public long GeneratedTokens { get; init; }

    /// <summary>The last request ids settled, oldest first; a repeat of one of them after a restart is not charged again.</summary>
    [Id(4)] public string[] RecentRequests { get; init; } = [];

    /// <summary>The last hours in which a request ended, oldest first.</summary>
    [Id(5)] public UsageHour[] Hours { get; init; } = [];

    /// <summary>What was set at run time, over the configuration; null: nothing.</summary>
    [Id(6)] public TenantOverrides? Overrides { get; init; }

    /// <summary>Bytes of KV memory times the seconds they were held.</summary>
    [Id(7)] public double KvByteSeconds { get; init; }

    /// <summary>The last total of each worker, the one heard of last at the end.</summary>
    [Id(8)] public KvCharge[] KvCharges { get; init; } = [];

    /// <summary>Tokens used of the budget.</summary>
    public long SpentTokens => PromptTokens + GeneratedTokens;
}
