using Orleans;

namespace Concertina.Contracts.Tenants;

/// <summary>What a tenant's sessions have held of one worker's KV memory: a running total, so that a repeat charges nothing and a lost one is made good.</summary>
/// <param name="Worker">Worker's key.</param>
/// <param name="Life">Counts the worker's lives; the total starts anew with each. One of an earlier life is dropped.</param>
/// <param name="ByteSeconds">Physical bytes times the seconds they were held, since that life began; what sessions share is counted once.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.kv-charge")]
public sealed record KvCharge(
    [property: Id(0)] string Worker,
    [property: Id(1)] long Life,
    [property: Id(2)] double ByteSeconds);
