using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>A request's claim on its tenant's limits.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.reserve-request")]
public sealed record ReserveRequest
{
    /// <summary>Unique id of the request.</summary>
    [Id(0)] public required string RequestId { get; init; }

    /// <summary>SHA-256 of the presented key; empty for the keyless loopback tenant.</summary>
    [Id(1)] public required byte[] KeySha256 { get; init; }

    /// <summary>Model asked for.</summary>
    [Id(2)] public required string Model { get; init; }

    /// <summary>Prompt tokens.</summary>
    [Id(3)] public required int PromptTokens { get; init; }

    /// <summary>Most tokens it may generate, as far as known.</summary>
    [Id(4)] public required int MaxNewTokens { get; init; }
}
