using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>The rung of one session.</summary>
/// <param name="SequenceKey">Grain key of the session.</param>
/// <param name="Rung">Stable rung name, for example <c>f16</c>.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.rung-assignment")]
public sealed record RungAssignment(
    [property: Id(0)] string SequenceKey,
    [property: Id(1)] string Rung);
