using Concertina.Contracts.Workers;
using Concertina.Gateway.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Concertina.Gateway.Http;

/// <summary>
/// Live: no worker's engine stalled while it had work. A silo in the same process may add checks of its own under
/// <see cref="GatewayHosting.LiveTag"/>; this one reads the last load snapshot and calls nobody.
/// </summary>
internal sealed class ProgressCheck(ModelCatalog models) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        WorkerLoad? stalled = models.Known.SelectMany(model => model.Load.Workers).FirstOrDefault(worker => worker.StalledStage is not null);
        return Task.FromResult(stalled is null
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"worker {stalled.Worker} stalled in stage '{stalled.StalledStage}'"));
    }
}
