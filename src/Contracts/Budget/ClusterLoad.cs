using Concertina.Contracts.Workers;
using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>Workers of one model as the budget grain knows them.</summary>
/// <param name="Workers">Latest load of each.</param>
[GenerateSerializer]
[Immutable]
[Alias("concertina.cluster-load")]
public sealed record ClusterLoad([property: Id(0)] WorkerLoad[] Workers);
