using Concertina.Compute.Engine;
using Concertina.Grains.Workers;
using Concertina.Silo.Options;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Silo.Memory;

/// <summary>
/// Looks at the container's memory limit each second. When it changes, the KV budget follows: no larger than what the limit
/// leaves beside everything else the process holds, and a margin; never above what it was before. So a container that is made
/// smaller squeezes its sessions instead of being killed.
/// </summary>
internal sealed class MemoryLimitWatch(
    LocalWorker worker, IOptions<SiloOptions> options, Func<MemoryReading> read, TimeProvider time, ILogger<MemoryLimitWatch> logger)
    : BackgroundService
{
    /// <summary>Share of the limit that stays free: what the process allocates between two looks.</summary>
    private const double Margin = 0.05;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private bool _seen;
    private long? _limit;
    private long? _set;
    private long _most;

    /// <summary>One look.</summary>
    internal async Task Look()
    {
        if (worker.Served?.Engine is not { } engine)
        {
            return;
        }
        MemoryReading reading = read();
        if (!_seen || reading.LimitBytes == _limit)
        {
            (_seen, _limit) = (true, reading.LimitBytes);
            return;
        }
        long? before = _limit;
        _limit = reading.LimitBytes;
        await Follow(engine, reading, before);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (options.Value.WatchMemoryLimit && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Look();
            }
            // A file of the kernel may vanish while it is read; an engine may end while it is asked.
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                SiloLog.MemoryLimitUnread(logger, problem);
            }
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Follow(IInferenceEngine engine, MemoryReading reading, long? before)
    {
        EngineSnapshot snapshot = engine.Snapshot;
        // A budget that somebody else chose in the meantime is the most from now on.
        _most = snapshot.Budget.TargetBytes == _set ? _most : snapshot.Budget.TargetBytes;
        long held = snapshot.Kv.UsedBytes + snapshot.Kv.FragmentedBytes;
        long room = reading.LimitBytes is { } limit ? held + reading.AvailableBytes - (long)(limit * Margin) : _most;
        long wanted = Math.Min(_most, Math.Max(0, room));
        if (wanted == snapshot.Budget.TargetBytes)
        {
            return;
        }
        try
        {
            KvBudgetState state = await engine.ChangeBudgetAsync(wanted);
            _set = state.TargetBytes;
            SiloLog.MemoryLimitChanged(logger, before, reading.LimitBytes, state.TargetBytes, state.ActualBytes, state.Hold);
        }
        catch (ArgumentException problem)
        {
            SiloLog.MemoryLimitTooSmall(logger, reading.LimitBytes, wanted, problem.Message);
        }
    }
}
