using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Sessions;
using Concertina.Runtime.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace Concertina.Silo;

/// <summary>
/// Removes sessions that nobody has used for <c>Store:TtlHours</c>, state and file: those whose file is that old, and
/// those whose state is and whose file went earlier, for the quota. The grain decides whether it is in use.
/// </summary>
internal sealed class SessionSweep(
    SessionTokenStore store, [FromKeyedServices(GrainHosting.StateName)] IStateStore states, IOptions<StoreOptions> options,
    IGrainFactory grains, TimeProvider time, ILogger<SessionSweep> logger) : BackgroundService
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
            int removed = 0;
            foreach (string key in await Candidates(cancellation))
            {
                removed += await Expire(key, cancellation) ? 1 : 0;
            }
            if (removed > 0)
            {
                SiloLog.SessionsExpired(logger, removed);
            }
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested)
        {
            SiloLog.SweepFailed(logger, problem);
        }
        catch (OperationCanceledException)
        {
            // The silo stops; the next one sweeps on.
        }
    }

    private async Task<IEnumerable<string>> Candidates(CancellationToken cancellation)
    {
        DateTimeOffset since = time.GetUtcNow() - TimeSpan.FromHours(options.Value.TtlHours);
        IReadOnlyList<StateKey> unwritten = await states.UnwrittenAsync(SequenceState.StateName, since, cancellation);
        // A grain's identity is type/key.
        return store.Expired().Union(unwritten.Select(state => state.Grain[(state.Grain.IndexOf('/', StringComparison.Ordinal) + 1)..]));
    }

    private async Task<bool> Expire(string key, CancellationToken cancellation)
    {
        try
        {
            return await grains.GetGrain<ISequenceGrain>(key).Expire(cancellation);
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested)
        {
            SiloLog.SessionNotExpired(logger, key, problem);
            return false;
        }
    }
}
