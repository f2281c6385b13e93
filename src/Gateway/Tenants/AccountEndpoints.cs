using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Admin;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;
using Orleans;

namespace Concertina.Gateway.Tenants;

/// <summary>GET /v1/usage, /v1/sessions, GET and DELETE /v1/sessions/{id}: what a tenant may see and remove of its own.</summary>
internal sealed class AccountEndpoints(TenantAccess access, WorkerDirectory workers, IGrainFactory grains, GrainLookup lookup)
{
    public async Task<IResult> Usage(HttpContext context)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        ITenantGrain grain = grains.GetGrain<ITenantGrain>(tenant.TenantId);
        return (await lookup.Ask(grain.Usage, "The tenant's account", context.RequestAborted)).Is(out TenantUsage? usage, out error)
            ? TypedResults.Json(UsageReport.Of(usage), GatewayJson.Wire.UsageReport)
            : new ErrorResult(error);
    }

    /// <summary>The tenant's sessions with KV in memory or files on disk, a page at a time.</summary>
    public async Task<IResult> Sessions(HttpContext context)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error)
            || !PageQuery.Read(context.Request.Query).Is(out PageQuery? page, out error))
        {
            return new ErrorResult(error);
        }
        SessionQuery query = new(tenant.TenantId, page.After is null ? null : $"{tenant.TenantId}/{page.After}", page.Limit);
        return (await workers.Sessions(query, context.RequestAborted)).Is(out PlacedPage? placed, out error)
            ? TypedResults.Json(OwnSessions.Of(placed), GatewayJson.Wire.OwnSessions)
            : new ErrorResult(error);
    }

    public async Task<IResult> Session(HttpContext context, string id) =>
        (await Find(context, id)).Is(out FoundSession? found, out ApiError? error)
            ? TypedResults.Json(SessionObject.Of(id, found.Status), GatewayJson.Wire.SessionObject)
            : new ErrorResult(error);

    public async Task<IResult> Delete(HttpContext context, string id)
    {
        if (!(await Find(context, id)).Is(out FoundSession? found, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        Outcome<SessionDeleted> deleted = await lookup.Ask(
            async token =>
            {
                await found.Grain.Delete(token);
                return new SessionDeleted(id);
            },
            "The session",
            context.RequestAborted);
        return deleted.Is(out SessionDeleted? body, out error)
            ? TypedResults.Json(body, GatewayJson.Wire.SessionDeleted)
            : new ErrorResult(error);
    }

    // The tenant's id is the key's, never the path's: a name of another tenant's session names nothing.
    private async Task<Outcome<FoundSession>> Find(HttpContext context, string id)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error))
        {
            return error;
        }
        if (!SessionName.IsOne(id))
        {
            return ApiErrors.SessionNotFound(id);
        }
        ISequenceGrain grain = grains.GetGrain<ISequenceGrain>($"{tenant.TenantId}/{id}");
        if (!(await lookup.Ask(grain.Status, "The session", context.RequestAborted)).Is(out SessionStatus? status, out error))
        {
            return error;
        }
        return status.Exists || status.Busy ? new FoundSession(grain, status) : ApiErrors.SessionNotFound(id);
    }

    private sealed record FoundSession(ISequenceGrain Grain, SessionStatus Status);
}
