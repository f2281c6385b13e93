using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Concertina.Gateway.Wire.Admin;
using Microsoft.AspNetCore.Http;
using Orleans;

namespace Concertina.Gateway.Admin;

/// <summary>GET /admin/kv, /admin/sessions and /admin/tenants/{id}: what the operator sees of all tenants.</summary>
internal sealed class AdminEndpoints(
    AdminAccess access, TenantKeys tenants, WorkerDirectory workers, IGrainFactory grains, GrainLookup lookup)
{
    /// <summary>Memory of every worker, asked anew each time.</summary>
    public async Task<IResult> Kv(HttpContext context)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        return (await workers.Memories(context.RequestAborted)).Is(out WorkerMemory[]? memories, out ApiError? error)
            ? TypedResults.Json(KvReport.Of(memories), GatewayJson.Wire.KvReport)
            : new ErrorResult(error);
    }

    /// <summary>Sessions with KV in memory, of all tenants or one, a page at a time.</summary>
    public async Task<IResult> Sessions(HttpContext context)
    {
        if (access.Refuse(context.Request) is { } refused)
        {
            return new ErrorResult(refused);
        }
        if (!PageQuery.Read(context.Request.Query).Is(out PageQuery? page, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        SessionQuery query = new(null, page.After, page.Limit);
        return (await workers.Sessions(query, context.RequestAborted)).Is(out PlacedPage? placed, out error)
            ? TypedResults.Json(SessionList.Of(placed), GatewayJson.Wire.SessionList)
            : new ErrorResult(error);
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
        return (await lookup.Ask(grain.Usage, "The tenant's account", context.RequestAborted)).Is(out TenantUsage? usage, out ApiError? error)
            ? TypedResults.Json(UsageReport.Of(usage), GatewayJson.Wire.UsageReport)
            : new ErrorResult(error);
    }
}
