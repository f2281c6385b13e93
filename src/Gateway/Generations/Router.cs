using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Generations;

/// <summary>Chooses the worker of a request: the budget grain, or the last load snapshot while that grain is silent.</summary>
internal sealed class Router(IGrainFactory grains, GatewayCalls calls, GatewayMetrics metrics, ILogger<Router> logger)
{
    public async Task<Outcome<RouteAnswer>> Route(ServedModel model, RouteRequest request, CancellationToken cancellation)
    {
        IMemoryBudgetGrain budget = grains.GetGrain<IMemoryBudgetGrain>(model.Facts.Name);
        try
        {
            RouteAnswer answer = await calls.Route.ExecuteAsync(
                async token => await budget.Route(request, token).WaitAsync(token), cancellation);
            return answer.Refusal is { } refusal ? ApiErrors.Of(refusal) : answer;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            logger.RoutedBySnapshot(failure, model.Facts.Name);
            metrics.RoutedBySnapshot(model.Facts.Name);
            return BySnapshot(model);
        }
    }

    /// <summary>Least pressure first, then the shorter queue; the worker's own admission stays the authority.</summary>
    private static Outcome<RouteAnswer> BySnapshot(ServedModel model)
    {
        WorkerLoad? best = model.Load.Workers
            .Where(worker => worker is { Accepting: true, StalledStage: null })
            .OrderBy(worker => (double)worker.CommittedBytes / Math.Max(1, worker.BudgetBytes))
            .ThenBy(worker => worker.Queued)
            .ThenBy(worker => worker.Worker, StringComparer.Ordinal)
            .FirstOrDefault();
        return best is null
            ? ApiErrors.Unavailable($"No worker of the model '{model.Facts.Name}'")
            : new RouteAnswer(best.Worker, best.Silo, best.Epoch, null);
    }
}
