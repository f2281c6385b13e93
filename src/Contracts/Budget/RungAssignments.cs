using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>Which rung each named session shall move to. Stale epochs are refused by the worker.</summary>
/// <param name="Epoch">Epoch of the worker the plan was made for.</param>
/// <param name="Assignments">Session key and rung; empty: nothing changes.</param>
/// <param name="SendFull">True: the receiver lacks reports of this worker (it is new, or one was lost); the next report must list all sessions.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.rung-assignments")]
public sealed record RungAssignments(
    [property: Id(0)] long Epoch,
    [property: Id(1)] RungAssignment[] Assignments,
    [property: Id(2)] bool SendFull = false);
