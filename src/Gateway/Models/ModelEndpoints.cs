using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Models;

/// <summary>GET /v1/models, /v1/models/{id} and /v1/kv/ladder: only what the key may use.</summary>
internal sealed class ModelEndpoints(TenantAccess access, ModelCatalog models, IGrainFactory grains, GatewayCalls calls, ILogger<ModelEndpoints> logger)
{
    public async Task<IResult> List(HttpContext context)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error))
        {
            return new ErrorResult(error);
        }
        IEnumerable<ModelObject> data = models.Known
            .Where(model => May(tenant, model))
            .Select(model => ModelObject.Of(model.Facts));
        return TypedResults.Json(new ModelList([.. data]), GatewayJson.Wire.ModelList);
    }

    public async Task<IResult> Get(HttpContext context, string id)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error)
            || !models.Find(id).Is(out ServedModel? model, out error))
        {
            return new ErrorResult(error);
        }
        return May(tenant, model)
            ? TypedResults.Json(ModelObject.Of(model.Facts), GatewayJson.Wire.ModelObject)
            : new ErrorResult(ApiErrors.ModelNotAllowed(id));
    }

    /// <param name="context">The request.</param>
    /// <param name="model">Whose rungs; null: the default model, or the only one.</param>
    public async Task<IResult> Ladder(HttpContext context, string? model)
    {
        if (!(await access.Check(context)).Is(out TenantFacts? tenant, out ApiError? error)
            || !models.Find(NameOf(model)).Is(out ServedModel? served, out error))
        {
            return new ErrorResult(error);
        }
        if (!May(tenant, served))
        {
            return new ErrorResult(ApiErrors.ModelNotAllowed(served.Facts.Name));
        }
        return (await AskLadder(served, context.RequestAborted)).Is(out KvLadder? ladder, out error)
            ? TypedResults.Json(LadderList.Of(served.Facts.Name, ladder), GatewayJson.Wire.LadderList)
            : new ErrorResult(error);
    }

    private string? NameOf(string? asked) => string.IsNullOrEmpty(asked) && models.Default is null && models.Names.Count == 1 ? models.Names.First() : asked;

    /// <summary>Asked anew each time: a rung that fails while it serves leaves the ladder.</summary>
    private async Task<Outcome<KvLadder>> AskLadder(ServedModel model, CancellationToken gone)
    {
        IWorkerGrain worker = grains.GetGrain<IWorkerGrain>(model.FactsFrom);
        try
        {
            KvLadder? ladder = await calls.Lookup.ExecuteAsync(async token => await worker.Ladder(token).WaitAsync(token), gone);
            return ladder is null ? ApiErrors.ModelLoading(model.Facts.Name) : ladder;
        }
        catch (Exception failure) when (!gone.IsCancellationRequested)
        {
            logger.LadderNotHeard(failure, model.Facts.Name, model.FactsFrom);
            return ApiErrors.Unavailable("The worker");
        }
    }

    private static bool May(TenantFacts tenant, ServedModel model) => tenant.Models is null || tenant.Models.Contains(model.Facts.Name);
}
