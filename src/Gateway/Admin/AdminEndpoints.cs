using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Wire;
using Concertina.Gateway.Wire.Admin;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Admin;

/// <summary>GET /admin/kv and /admin/sessions: what the operator sees of all tenants.</summary>
internal sealed class AdminEndpoints(AdminAccess access, WorkerDirectory workers)
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

    /// <summary>Sessions with KV in memory or files on disk, of all tenants or one, a page at a time.</summary>
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
}
