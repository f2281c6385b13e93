using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>What admission found; sent when the first engine output of the request exists, before its first token.</summary>
/// <param name="PromptTokens">Prompt length.</param>
/// <param name="CachedTokens">Prompt tokens whose KV was reused; always below <paramref name="PromptTokens"/>, because the last one is recomputed.</param>
/// <param name="DeterminismClass">Weights hash, kernel path and unit formats; part of <c>system_fingerprint</c>.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.admission")]
public sealed record AdmissionFacts(
    [property: Id(0)] int PromptTokens,
    [property: Id(1)] int CachedTokens,
    [property: Id(2)] string DeterminismClass);
