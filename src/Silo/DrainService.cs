using Concertina.Compute.Engine;
using Concertina.Grains.Workers;
using Concertina.Silo.Options;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Silo;

/// <summary>
/// Ends a silo in order. Takes no new work as soon as the host is told to stop, and holds the rest of the shutdown,
/// the HTTP server included, until running streams have finished or their time is over.
/// </summary>
internal sealed class DrainService(LocalWorker worker, IOptions<SiloOptions> options, TimeProvider time, ILogger<DrainService> logger)
    : IHostedLifecycleService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        worker.Drain();
        if (worker.Served is not { } served || served.Engine.Snapshot is { Running: 0, Queued: 0 })
        {
            return;
        }
        double seconds = options.Value.DrainSeconds;
        EngineSnapshot now = served.Engine.Snapshot;
        SiloLog.Draining(logger, now.Running, now.Queued, seconds);
        long start = time.GetTimestamp();
        while (now is not { Running: 0, Queued: 0 } && time.GetElapsedTime(start).TotalSeconds < seconds)
        {
            await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            now = served.Engine.Snapshot;
        }
        if (now is not { Running: 0, Queued: 0 })
        {
            SiloLog.DrainExpired(logger, seconds, now.Running, now.Queued);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
