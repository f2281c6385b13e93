using Concertina.Gateway.Http;
using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway;

/// <summary>Asks grains what may be asked again without harm; one that does not answer becomes 503 with its name.</summary>
internal sealed class GrainLookup(GatewayCalls calls, ILogger<GrainLookup> logger)
{
    /// <param name="call">The question.</param>
    /// <param name="what">Who is asked, as the beginning of a sentence.</param>
    /// <param name="gone">Raised when the caller has left.</param>
    public async Task<Outcome<T>> Ask<T>(Func<CancellationToken, Task<T>> call, string what, CancellationToken gone)
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
