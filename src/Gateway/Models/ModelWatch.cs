using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Models;

/// <summary>Keeps the catalog fresh while the process runs.</summary>
internal sealed class ModelWatch(ModelCatalog catalog, IOptions<GatewayOptions> options, TimeProvider time) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan period = TimeSpan.FromMilliseconds(options.Value.SnapshotMilliseconds);
        // While a model is missing, look more often: the first answer waits for it.
        TimeSpan hurry = TimeSpan.FromMilliseconds(Math.Min(50, options.Value.SnapshotMilliseconds));
        while (!stoppingToken.IsCancellationRequested)
        {
            await catalog.Refresh(stoppingToken);
            bool complete = catalog.Names.Count > 0 && catalog.Known.Count() == catalog.Names.Count;
            await Task.Delay(complete ? period : hurry, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
