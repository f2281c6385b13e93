using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What the requests that ended within one hour used.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.usage-hour")]
public sealed record UsageHour
{
    /// <summary>Start of the hour, Unix time in seconds.</summary>
    [Id(0)] public required long StartUnixSeconds { get; init; }

    /// <summary>Settled requests.</summary>
    [Id(1)] public required long Requests { get; init; }

    /// <summary>Prompt tokens, cached ones included.</summary>
    [Id(2)] public required long PromptTokens { get; init; }

    /// <summary>Of those, tokens whose KV was reused.</summary>
    [Id(3)] public required long CachedTokens { get; init; }

    /// <summary>Generated tokens.</summary>
    [Id(4)] public required long GeneratedTokens { get; init; }
}
