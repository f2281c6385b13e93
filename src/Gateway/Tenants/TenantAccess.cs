using Concertina.Contracts.Tenants;
using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Tenants;

/// <summary>Lets a caller in who only looks: the key's tenant verifies the key, nothing is reserved.</summary>
internal sealed class TenantAccess(KeyRing keys, IGrainFactory grains, GatewayCalls calls, ILogger<TenantAccess> logger)
{
    /// <summary>The tenant of a request's key and what it may use.</summary>
    public async Task<Outcome<TenantFacts>> Check(HttpContext context)
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
