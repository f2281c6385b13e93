using Concertina.Contracts.Budget;
using Orleans;

namespace Concertina.Grains.Budget;

/// <summary>The cluster's view of one model's workers. Key: model name. Calls nobody; keeps nothing that reports cannot rebuild.</summary>
internal sealed class MemoryBudgetGrain : Grain, IMemoryBudgetGrain
{
    private readonly WorkerTable _workers;
    private readonly Router _router;

    public MemoryBudgetGrain(TimeProvider time)
    {
        _workers = new WorkerTable(time);
        _router = new Router(_workers);
    }

    // Step 3.
    public Task<RouteAnswer> Route(RouteRequest request, CancellationToken cancellation = default) =>
        Task.FromResult(_router.Route(request));

    // Step 8: the plan is made with each report, and the answer carries what it changes.
    public Task<RungAssignments> Report(WorkerReport report, CancellationToken cancellation = default) =>
        Task.FromResult(_workers.Take(report));

    public Task<ClusterLoad> Workers(CancellationToken cancellation = default) =>
        Task.FromResult(new ClusterLoad([.. _workers.Loads()]));
}
