using Concertina.Contracts.Sessions;
using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>Where a request goes, or why it goes nowhere.</summary>
/// <param name="Worker">Grain key of the chosen worker; null when refused.</param>
/// <param name="Silo">Address of the worker's silo in its parsable form, as a placement hint; null when refused or not known.</param>
/// <param name="Epoch">The worker's epoch when it was chosen.</param>
/// <param name="Refusal">Why not; null when routed.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.route-answer")]
public sealed record RouteAnswer(
    [property: Id(0)] string? Worker,
    [property: Id(1)] string? Silo,
    [property: Id(2)] long Epoch,
    [property: Id(3)] Refusal? Refusal);
