using Concertina.Contracts.Tenants;
using Concertina.Gateway.Http;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Wire;
using Concertina.Gateway.Wire.Admin;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Orleans;

namespace Concertina.Gateway.Admin;

/// <summary>GET and PUT /admin/tenants/{id}: what the operator sees and changes of a tenant.</summary>
internal sealed class TenantEndpoints(
    AdminAccess access, TenantKeys tenants, IGrainFactory grains, GrainLookup lookup, IOptions<GatewayOptions> options)
{
    private const string Account = "The tenant's account";

    /// <param name="context">The request.</param>
    /// <param name="id">A configured tenant; <c>default</c> on a server without keys.</param>
    public async Task<IResult> Get(HttpContext context, string id)
    {
        if (Refuse(context, id) is { } refused)
        {
            return new ErrorResult(refused);
        }
        ITenantGrain grain = grains.GetGrain<ITenantGrain>(id);
        return (await lookup.Ask(grain.Usage, Account, context.RequestAborted)).Is(out TenantUsage? usage, out ApiError? error)
            && (await lookup.Ask(grain.Settings, Account, context.RequestAborted)).Is(out TenantSettings? settings, out error)
            ? TypedResults.Json(UsageReport.Of(usage) with { Settings = TenantView.From(id, settings) }, GatewayJson.Wire.UsageReport)
            : new ErrorResult(error);
    }

    /// <inheritdoc cref="Get"/>
    public async Task<IResult> Put(HttpContext context, string id)
    {
        if (Refuse(context, id) is { } refused)
        {
            return new ErrorResult(refused);
        }
        Outcome<TenantPut> body = await BodyReader.Read(context, GatewayJson.Default.TenantPut, options.Value.MaxBodyBytes);
        if (!body.Is(out TenantPut? put, out ApiError? error) || !TenantChangeReader.Read(put.Members).Is(out TenantChange? change, out error))
        {
            return new ErrorResult(error);
        }
        ITenantGrain grain = grains.GetGrain<ITenantGrain>(id);
        if (!(await lookup.Ask(token => grain.Change(change, token), Account, context.RequestAborted)).Is(out TenantChangeAnswer? answer, out error))
        {
            return new ErrorResult(error);
        }
        return answer.Field is { } field
            ? new ErrorResult(ApiErrors.Invalid(field, $"{answer.Problem} Nothing was changed."))
            : TypedResults.Json(TenantView.From(id, answer.Settings), GatewayJson.Wire.TenantView);
    }

    private ApiError? Refuse(HttpContext context, string id) =>
        access.Refuse(context.Request) ?? (tenants.Knows(id) ? null : ApiErrors.TenantNotFound(id));
}
