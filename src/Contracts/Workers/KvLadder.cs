using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>The rungs of a served model.</summary>
/// <param name="Rungs">Lossless first, then by bytes.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.kv-ladder")]
public sealed record KvLadder([property: Id(0)] KvRung[] Rungs);
