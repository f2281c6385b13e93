using Concertina.Gateway.Models;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Concertina.Gateway.Http;

/// <summary>Ready: this gateway takes new work, because it is not draining and some worker of every served model accepts.</summary>
internal sealed class ReadyCheck(DrainState drain, ModelCatalog models) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Now());

    private HealthCheckResult Now()
    {
        if (drain.IsDraining)
        {
            return HealthCheckResult.Unhealthy("draining");
        }
        string[] missing = [.. models.Names.Where(name => !models.Known.Any(model => model.Facts.Name == name && model.Accepting))];
        return models.Names.Count > 0 && missing.Length == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(missing.Length == 0 ? "no model is configured" : $"no worker takes work for: {string.Join(", ", missing)}");
    }
}
