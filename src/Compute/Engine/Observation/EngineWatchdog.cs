namespace Concertina.Compute.Engine;

/// <summary>
/// Looks at the engine's thread from a timer of its own: names the stage that lasts too long while there is work, and
/// wakes a parked engine when a deadline may have passed (a queue wait, a slow reader, a wait for memory). Requests that
/// wait although nothing runs are a stall too, whatever the thread does meanwhile.
/// </summary>
internal sealed class EngineWatchdog : IDisposable
{
    private const double LooksPerLimit = 4;
    private const double LeastPeriodSeconds = 0.02;
    private const double MostPeriodSeconds = 0.25;

    private readonly EngineState _state;
    private readonly StageMark _mark;
    private readonly Action _wake;
    private readonly Lock _lock = new();
    private readonly ITimer _timer;
    private long _seenMark;
    private long _seenAt;
    private long _seenDepartures;
    private long? _idleWithQueueSince;

    public EngineWatchdog(EngineState state, StageMark mark, Action wake)
    {
        _state = state;
        _mark = mark;
        _wake = wake;
        _seenMark = mark.Value;
        _seenAt = state.Time.GetTimestamp();
        EngineOptions options = state.Options;
        double shortest = Math.Min(
            Math.Min(options.StallSeconds, options.SlowReaderSeconds), Math.Min(options.MemoryWaitSeconds, options.QueueWaitSeconds));
        var period = TimeSpan.FromSeconds(Math.Clamp(shortest / LooksPerLimit, LeastPeriodSeconds, MostPeriodSeconds));
        _timer = state.Time.CreateTimer(static watchdog => ((EngineWatchdog)watchdog!).Look(), this, period, period);
    }

    /// <summary>One look; the timer calls it.</summary>
    public void Look()
    {
        lock (_lock)
        {
            _state.Intake.SetStalled(StalledStage(_state.Time.GetTimestamp())?.ToString().ToLowerInvariant());
        }
        bool isDue = _state.IsOver(_state.Spills.DueSince, _state.Options.SpillIdleSeconds, _state.Time.GetTimestamp());
        if (isDue || _state.Intake.Waiting > 0 || _state.Board.Read().Running > 0)
        {
            _wake();
        }
    }

    public void Dispose() => _timer.Dispose();

    private EngineStage? StalledStage(long now)
    {
        double limit = _state.Options.StallSeconds;
        // Requests that run and end within one step never show as running; that the queue moves shows that they are served.
        long departures = _state.Intake.Departures;
        bool ignored = _state.Intake.Waiting > 0 && _state.Board.Read().Running == 0 && departures == _seenDepartures;
        _seenDepartures = departures;
        _idleWithQueueSince = ignored ? _idleWithQueueSince ?? now : null;
        long mark = _mark.Value;
        EngineStage stage = StageMark.StageOf(mark);
        if (mark != _seenMark || (stage == EngineStage.Parked && !_state.Intake.HasCommands))
        {
            (_seenMark, _seenAt) = (mark, now);
        }
        return _state.IsOver(_seenAt, limit, now) ? stage
            : _state.IsOver(_idleWithQueueSince, limit, now) ? EngineStage.Admit
            : null;
    }
}
