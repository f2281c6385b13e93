using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>What routing must know of a request.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.route-request")]
public sealed record RouteRequest
{
    /// <summary>Tenant id.</summary>
    [Id(0)] public required string TenantId { get; init; }

    /// <summary>Grain key of the session (<c>tenant/session</c>), or of the ephemeral sequence.</summary>
    [Id(1)] public required string SequenceKey { get; init; }

    /// <summary>Prompt length in tokens.</summary>
    [Id(2)] public required int PromptTokens { get; init; }

    /// <summary>Most tokens to generate; null: open.</summary>
    [Id(3)] public int? MaxNewTokens { get; init; }

    /// <summary>Chained hashes of the prompt's full columns, salted; at most the first 64; for prefix-aware routing.</summary>
    [Id(4)] public ulong[] PrefixHashes { get; init; } = [];
}
