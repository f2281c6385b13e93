using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Silo;

/// <summary>Removes sessions that nobody has used for <c>Store:TtlHours</c>, state and file.</summary>
internal sealed class SessionSweep(SessionTokenStore store, IGrainFactory grains, TimeProvider time, ILogger<SessionSweep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await Sweep(stoppingToken);
            }
        }
    }

    internal async Task Sweep(CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<string> expired = store.Expired();
            foreach (string key in expired)
            {
                await grains.GetGrain<ISequenceGrain>(key).Delete(cancellation);
            }
            if (expired.Count > 0)
            {
                SiloLog.SessionsExpired(logger, expired.Count);
            }
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested)
        {
            SiloLog.SweepFailed(logger, problem);
        }
    }
}
