using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Silo;

/// <summary>Wakes this silo's worker grain once the grain host runs; the grain stays and reports from then on.</summary>
internal sealed class WorkerService(IGrainFactory grains, LocalWorker worker, TimeProvider time, ILogger<WorkerService> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(200);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await grains.GetGrain<IWorkerGrain>(worker.Key).Load(stoppingToken);
                return;
            }
            catch (Exception problem) when (!stoppingToken.IsCancellationRequested)
            {
                SiloLog.WorkerNotStarted(logger, worker.Key, problem);
            }
            await Task.Delay(RetryAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
