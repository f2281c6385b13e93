using Orleans;
using Orleans.Concurrency;

namespace Concertina.Contracts.Budget;

/// <summary>The cluster's view of KV bytes of one model: routing, admission, the plan of rungs. Key: model name. Its loss is harmless.</summary>
[Alias("concertina.memory-budget")]
public interface IMemoryBudgetGrain : IGrainWithStringKey
{
    /// <summary>Chooses the worker for a request, or refuses what can never fit (422) or a full queue (503).</summary>
    [AlwaysInterleave]
    [ResponseTimeout("00:00:05")]
    [Alias("route")]
    Task<RouteAnswer> Route(RouteRequest request, CancellationToken cancellation = default);

    /// <summary>Takes a worker's report (changes only; a full snapshot per epoch) and answers with rung assignments, if any.</summary>
    [AlwaysInterleave]
    [Alias("report")]
    Task<RungAssignments> Report(WorkerReport report, CancellationToken cancellation = default);

    /// <summary>The workers known now; gateways keep it as the snapshot to route by when this grain is silent.</summary>
    [AlwaysInterleave]
    [Alias("workers")]
    Task<ClusterLoad> Workers(CancellationToken cancellation = default);
}
