using Concertina.Runtime.Activations;
using Concertina.Runtime.Hosting;
using Orleans.Runtime;

namespace Concertina.Runtime.Enumerations;

/// <summary>The running iterators of one activation. Touched only on its turns.</summary>
internal sealed class EnumerationTable(Activation activation)
{
    private readonly Dictionary<Guid, Enumeration> _running = [];
    private ITimer? _cleanup;

    internal Enumeration<T> Begin<T>(Guid id, Enumeration<T> enumeration)
    {
        enumeration.LastPull = activation.Silo.Time.GetTimestamp();
        _running.Add(id, enumeration);
        _cleanup ??= StartCleanup();
        return enumeration;
    }

    /// <exception cref="EnumerationAbortedException">The enumeration is not here any more.</exception>
    internal Enumeration<T> Find<T>(Guid id) => _running.TryGetValue(id, out Enumeration? found)
        ? (Enumeration<T>)found
        : throw new EnumerationAbortedException(
            $"The enumeration of {activation.GrainId} is gone: its activation ended, or it was not pulled for {activation.Silo.Options.EnumerationCleanupInterval.TotalSeconds:0.###} s.");

    /// <summary>The consumer wants no more.</summary>
    internal Task StopAsync(Guid id)
    {
        return _running.Remove(id, out Enumeration? enumeration) ? StopAsync(enumeration, null) : Task.CompletedTask;
    }

    /// <summary>The iterator has ended by itself.</summary>
    internal Task EndAsync(Enumeration enumeration)
    {
        foreach ((Guid id, Enumeration running) in _running)
        {
            if (running == enumeration)
            {
                _running.Remove(id);
                break;
            }
        }

        return StopAsync(enumeration, null);
    }

    /// <summary>The activation ends.</summary>
    internal Task AbortAsync()
    {
        _cleanup?.Dispose();
        Enumeration[] all = [.. _running.Values];
        _running.Clear();
        EnumerationAbortedException reason = new($"The activation of {activation.GrainId} ended while it was being enumerated.");
        return Task.WhenAll(all.Select(enumeration => StopAsync(enumeration, reason)));
    }

    private async Task StopAsync(Enumeration enumeration, EnumerationAbortedException? reason)
    {
        try
        {
            await enumeration.StopAsync(reason);
        }
        catch (Exception exception)
        {
            RuntimeLog.IteratorFailedAfterStop(activation.Silo.Log, exception, activation.GrainId);
        }
    }

    private ITimer StartCleanup()
    {
        TimeSpan interval = activation.Silo.Options.EnumerationCleanupInterval;
        return activation.Silo.Time.CreateTimer(
            static state =>
            {
                EnumerationTable table = (EnumerationTable)state!;
                table.Owner.Scheduler.Post(table.Cleanup);
            },
            this,
            interval,
            interval);
    }

    private Activation Owner => activation;

    private void Cleanup()
    {
        TimeSpan interval = activation.Silo.Options.EnumerationCleanupInterval;
        foreach ((Guid id, Enumeration enumeration) in _running.ToArray())
        {
            if (!enumeration.Pulled && activation.Silo.Time.GetElapsedTime(enumeration.LastPull) >= interval)
            {
                RuntimeLog.ConsumerGone(activation.Silo.Log, activation.GrainId, interval.TotalSeconds);
                _ = StopAsync(id);
            }
        }

        if (_running.Count == 0)
        {
            _cleanup?.Dispose();
            _cleanup = null;
        }
    }
}
