using Concertina.Contracts.Tenants;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Models;

/// <summary>GET /v1/models and /v1/models/{id}: only what the key may use.</summary>
internal sealed class ModelEndpoints(KeyRing keys, ModelCatalog models, IGrainFactory grains, GatewayCalls calls, ILogger<ModelEndpoints> logger)
{
    public async Task<IResult> List(HttpContext context)
    {
        if (!(await Allowed(context)).Is(out TenantFacts? tenant, out ApiError? error))
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
        if (!(await Allowed(context)).Is(out TenantFacts? tenant, out ApiError? error)
            || !models.Find(id).Is(out ServedModel? model, out error))
        {
            return new ErrorResult(error);
        }
        return May(tenant, model)
            ? TypedResults.Json(ModelObject.Of(model.Facts), GatewayJson.Wire.ModelObject)
            : new ErrorResult(ApiErrors.ModelNotAllowed(id));
    }

    private static bool May(TenantFacts tenant, ServedModel model) => tenant.Models is null || tenant.Models.Contains(model.Facts.Name);

    private async Task<Outcome<TenantFacts>> Allowed(HttpContext context)
    {
        if (!keys.Identify(context.Request).Is(out Caller? caller, out ApiError? error))
        {
            return error;
        }
        ITenantGrain grain = grains.GetGrain<ITenantGrain>(caller.TenantId);
        try
        {
            TenantFacts? facts = await calls.Lookup.ExecuteAsync(
                async token => await grain.Authorize(caller.KeySha256, token).WaitAsync(token), context.RequestAborted);
            return facts is null ? ApiErrors.InvalidKey(given: true) : facts;
        }
        catch (Exception failure) when (!context.RequestAborted.IsCancellationRequested)
        {
            logger.TenantSilent(failure, caller.TenantId);
            return ApiErrors.Unavailable("The tenant's account");
        }
    }
}
