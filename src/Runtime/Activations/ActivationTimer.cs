using Concertina.Runtime.Hosting;
using Concertina.Runtime.Waiting;
using Orleans.Runtime;

namespace Concertina.Runtime.Activations;

/// <summary>
/// A grain timer. The next tick is set when the last one has ended, so ticks cannot overlap; a tick waits in the
/// mailbox like a request unless it interleaves.
/// </summary>
internal sealed class ActivationTimer : WorkItem, IGrainTimer
{
    private readonly Lock _gate = new();
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _ended = new();
    private readonly ITimer _timer;
    private TimeSpan _dueTime;
    private TimeSpan _period;
    private bool _ticking;
    private bool _changed;
    private bool _disposed;

    internal ActivationTimer(
        Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        _activation = activation;
        _callback = callback;
        _options = options;
        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = activation.Silo.Time.CreateTimer(
            static state => ((ActivationTimer)state!).Due(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal override bool Interleaves => _options.Interleave;

    /// <summary>A tick keeps the activation only when asked to; at most one waits per timer, so it needs no bound.</summary>
    internal override bool Counts => false;

    /// <inheritdoc/>
    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        Check(dueTime, nameof(dueTime));
        Check(period, nameof(period));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _dueTime = dueTime;
            _period = period;
            _changed = true;
            if (!_ticking)
            {
                _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _timer.Dispose();
        }

        _activation.Mailbox.Remove(this);
        _activation.Forget(this);
        _ended.Cancel();
    }

    internal override void Start() => _ = TickAsync();

    private static void Check(TimeSpan time, string name)
    {
        if (time < TimeSpan.Zero && time != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(name, time, "Zero, positive or Timeout.InfiniteTimeSpan.");
        }
    }

    private void Due()
    {
        lock (_gate)
        {
            if (_disposed || _ticking)
            {
                return;
            }

            _ticking = true;
            _changed = false;
        }

        if (_activation.Silo.Detector is not null)
        {
            Frame = new CallFrame(_activation, "timer tick", null);
        }

        _activation.Add(this);
    }

    private async Task TickAsync()
    {
        Frame?.Install();
        try
        {
            if (!_ended.IsCancellationRequested)
            {
                await _callback(_ended.Token);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !_ended.IsCancellationRequested)
        {
            RuntimeLog.TimerFailed(_activation.Silo.Log, exception, _activation.GrainId);
        }
        catch (OperationCanceledException)
        {
            // The timer was disposed while its callback ran; the callback obeyed.
        }

        if (_options.KeepAlive)
        {
            _activation.Touch();
        }

        Frame?.End();
        _activation.Finish(this);
        Rearm();
    }

    private void Rearm()
    {
        lock (_gate)
        {
            _ticking = false;
            if (!_disposed)
            {
                _timer.Change(_changed ? _dueTime : _period, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
