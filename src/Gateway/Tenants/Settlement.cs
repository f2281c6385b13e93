using Concertina.Contracts.Tenants;
using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Tenants;

/// <summary>Corrects one reservation once, whatever way the request ends.</summary>
internal sealed class Settlement(ITenantGrain tenant, string requestId, GatewayCalls calls, ILogger logger)
{
    private int _settled;

    /// <summary>Records what was used. Only the first call counts; it never throws, because nobody could correct it there.</summary>
    public async Task Settle(int promptTokens, int cachedTokens, int generatedTokens)
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
        {
            return;
        }
        UsageRecord usage = new(requestId, promptTokens, cachedTokens, generatedTokens);
        try
        {
            await calls.Settle.ExecuteAsync(async token => await tenant.Settle(usage, token).WaitAsync(token));
        }
        catch (Exception failure)
        {
            logger.UsageLost(failure, requestId, promptTokens, generatedTokens);
        }
    }
}
