using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>What the rungs of a worker's model cost; with it the plan is made.</summary>
/// <param name="Rungs">The ladder, lossless first, by bytes.</param>
/// <param name="ExactTokens">Tokens of a session that stay lossless on every rung.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.kv-curve")]
public sealed record KvCurve(
    [property: Id(0)] KvCurvePoint[] Rungs,
    [property: Id(1)] int ExactTokens);
