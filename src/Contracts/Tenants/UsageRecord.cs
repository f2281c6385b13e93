using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What one request used; recorded once per request id.</summary>
/// <param name="RequestId">Unique id of the request.</param>
/// <param name="PromptTokens">Prompt tokens.</param>
/// <param name="CachedTokens">Of those, tokens whose KV was reused.</param>
/// <param name="GeneratedTokens">Generated tokens.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.usage-record")]
public sealed record UsageRecord(
    [property: Id(0)] string RequestId,
    [property: Id(1)] int PromptTokens,
    [property: Id(2)] int CachedTokens,
    [property: Id(3)] int GeneratedTokens);
