using Concertina.Contracts.Budget;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Admin;

/// <summary>GET /admin/kv and /admin/tenants/{id}: what the operator sees of all tenants.</summary>
internal sealed class AdminEndpoints(
    AdminAccess access, TenantKeys tenants, ModelCatalog models, IGrainFactory grains, GatewayCalls calls, ILogger<AdminEndpoints> logger)
{
    /// <summary>Memory of every worker, asked anew each time.</summary>
    public async Task<IResult> Kv(HttpContext context)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        List<WorkerLoad> loads = [];
        foreach (string model in models.Names.Order(StringComparer.Ordinal))
        {
            IMemoryBudgetGrain budget = grains.GetGrain<IMemoryBudgetGrain>(model);
            if (!(await Ask(budget.Workers, $"The memory budget of '{model}'", context.RequestAborted)).Is(out ClusterLoad? cluster, out ApiError? error))
            {
                return new ErrorResult(error);
            }
            loads.AddRange(cluster.Workers.OrderBy(worker => worker.Worker, StringComparer.Ordinal));
        }
        return TypedResults.Json(KvReport.Of(loads), GatewayJson.Wire.KvReport);
    }

    /// <param name="context">The request.</param>
    /// <param name="id">A configured tenant; <c>default</c> on a server without keys.</param>
    public async Task<IResult> Tenant(HttpContext context, string id)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        if (!tenants.Knows(id))
        {
            return new ErrorResult(ApiErrors.TenantNotFound(id));
        }
        ITenantGrain grain = grains.GetGrain<ITenantGrain>(id);
        return (await Ask(grain.Usage, "The tenant's account", context.RequestAborted)).Is(out TenantUsage? usage, out ApiError? error)
            ? TypedResults.Json(UsageReport.Of(usage), GatewayJson.Wire.UsageReport)
            : new ErrorResult(error);
    }

    private async Task<Outcome<T>> Ask<T>(Func<CancellationToken, Task<T>> call, string what, CancellationToken gone)
        where T : class
    {
        try
        {
            return await calls.Lookup.ExecuteAsync(async token => await call(token).WaitAsync(token), gone);
        }
        catch (Exception failure) when (!gone.IsCancellationRequested)
        {
            logger.AccountSilent(failure, what);
            return ApiErrors.Unavailable(what);
        }
    }
}
