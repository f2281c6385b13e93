using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>What one rung holds, and what the plan wants there.</summary>
/// <param name="Rung">Stable name.</param>
/// <param name="Bytes">Physical bytes of units in its form; rungs that differ in eviction alone count at the first.</param>
/// <param name="Sessions">Sessions whose deepest unit is there.</param>
/// <param name="Planned">Sessions that are there or on their way.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.rung-memory")]
public sealed record RungMemory(
    [property: Id(0)] string Rung,
    [property: Id(1)] long Bytes,
    [property: Id(2)] int Sessions,
    [property: Id(3)] int Planned);
