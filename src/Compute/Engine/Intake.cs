using Concertina.Compute.Engine.Scheduling;

namespace Concertina.Compute.Engine;

/// <summary>
/// The thread-safe border of an engine: what is refused at once, how many requests may wait, and the commands its thread
/// takes between two steps. Commands are bounded by what they name: a request is submitted and cancelled once, a
/// sequence disposed once and told of its rung by one command at a time, and requests are bounded by
/// <see cref="EngineOptions.QueueLimit"/>.
/// </summary>
internal sealed class Intake(RequestRules rules, EngineOptions options, TimeProvider time, Action wake)
{
    private const int LeastRetryMs = 100;
    private const int MostRetryMs = 60_000;
    private const double NewestShare = 0.1;

    private readonly Lock _lock = new();
    private readonly long[] _refused = new long[Enum.GetValues<RefusalKind>().Length];
    private readonly List<EngineCommand> _commands = [];
    private int _waiting;
    private long _departures;
    private long _stalls;
    private long _lastDepartureAt;
    private bool _stillWaited;
    private double _departureMs;
    private volatile int _commandCount;
    private volatile bool _closed;
    private volatile bool _draining;
    private volatile string? _stalledStage;
    private volatile string? _failure;
    private volatile string? _failedStage;

    /// <summary>Requests accepted and not yet admitted.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Requests that left the queue since start, for whatever reason.</summary>
    public long Departures => Interlocked.Read(ref _departures);

    /// <summary>Stalls since start, each counted once from its beginning to its end.</summary>
    public long Stalls => Interlocked.Read(ref _stalls);

    public bool HasCommands => _commandCount > 0;

    public bool Draining => _draining;

    /// <summary>The stage that stalled or failed for good, or null.</summary>
    public string? StalledStage => _failedStage ?? _stalledStage;

    /// <summary>What made the engine fail for good, or null.</summary>
    public string? Failure => _failure;

    public long[] RefusedCounts()
    {
        long[] counts = new long[_refused.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = Interlocked.Read(ref _refused[i]);
        }
        return counts;
    }

    public void Drain() => _draining = true;

    /// <summary>The watchdog's finding; null: no stall.</summary>
    public void SetStalled(string? stage)
    {
        Interlocked.Add(ref _stalls, stage is not null && _stalledStage is null ? 1 : 0);
        _stalledStage = stage;
    }

    /// <summary>The engine cannot go on; everything is refused from now on.</summary>
    public void SetFailed(string stage, string failure)
    {
        _failedStage = stage;
        _failure = failure;
    }

    /// <summary>Everything that can be said without the engine's thread.</summary>
    public EngineRefusal? Check(GenerationSpec spec, out RunBounds bounds)
    {
        EngineRefusal? refusal = rules.Check(spec, out bounds) ?? CheckState();
        return refusal is null ? null : Refuse(refusal);
    }

    /// <summary>What is said of a request that waits, after the budget changed.</summary>
    public EngineRefusal? CheckAgain(GenerationSpec spec, out RunBounds bounds) =>
        rules.Check(spec, out bounds) is { } refusal ? Refuse(refusal) : null;

    /// <summary>Takes a place in the queue and submits.</summary>
    public EngineRefusal? TrySubmit(Run run)
    {
        int limit = options.QueueLimit;
        if (Interlocked.Increment(ref _waiting) > limit)
        {
            Interlocked.Decrement(ref _waiting);
            return Refuse(new EngineRefusal(
                RefusalKind.QueueFull, $"{limit} requests wait, at most {limit} may (Engine:QueueLimit). Retry later.", RetryAfterMs()));
        }
        if (TryPost(new EngineCommand(EngineCommandKind.Submit, run)))
        {
            return null;
        }
        Interlocked.Decrement(ref _waiting);
        return Refuse(Stopped());
    }

    public EngineRefusal RefuseBusy(string runningRequestId) => Refuse(new EngineRefusal(
        RefusalKind.Busy, $"The sequence is busy with request {runningRequestId}; one request runs at a time. Retry when it has ended.", LeastRetryMs));

    /// <summary>How an accepted request that waited too long is told.</summary>
    public EngineRefusal QueueExpired() => Refuse(new EngineRefusal(
        RefusalKind.QueueFull,
        $"The request waited {options.QueueWaitSeconds} s for admission, the longest allowed (Engine:QueueWaitSeconds). Retry later.",
        RetryAfterMs()));

    /// <summary>Engine thread: a request left the queue.</summary>
    public void LeaveQueue()
    {
        int left = Interlocked.Decrement(ref _waiting);
        Interlocked.Increment(ref _departures);
        long now = time.GetTimestamp();
        if (_stillWaited)
        {
            double ms = time.GetElapsedTime(_lastDepartureAt, now).TotalMilliseconds;
            double mean = Volatile.Read(ref _departureMs);
            Volatile.Write(ref _departureMs, mean == 0 ? ms : mean + (NewestShare * (ms - mean)));
        }
        (_lastDepartureAt, _stillWaited) = (now, left > 0);
    }

    /// <returns>False when the engine has stopped and takes no command any more.</returns>
    public bool TryPost(EngineCommand command)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }
            _commands.Add(command);
            _commandCount = _commands.Count;
        }
        wake();
        return true;
    }

    /// <summary>Engine thread: moves all commands into a list.</summary>
    public void Take(List<EngineCommand> commands)
    {
        if (_commandCount == 0)
        {
            return;
        }
        lock (_lock)
        {
            commands.AddRange(_commands);
            _commands.Clear();
            _commandCount = 0;
        }
    }

    /// <summary>Takes no command from now on; those already there are still taken.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
        }
    }

    private EngineRefusal? CheckState()
    {
        if (_closed)
        {
            return Stopped();
        }
        if (_draining)
        {
            return new EngineRefusal(RefusalKind.Draining, "The engine is draining and takes no new work. Retry on another worker.", LeastRetryMs);
        }
        return StalledStage is { } stage
            ? new EngineRefusal(
                RefusalKind.Stalled,
                _failure is { } failure
                    ? $"The engine failed in stage '{stage}' and takes no work: {failure} Restart the process."
                    : $"The engine has been in stage '{stage}' for more than {options.StallSeconds} s (Engine:StallSeconds). Retry later.",
                RetryAfterMs())
            : null;
    }

    private static EngineRefusal Stopped() =>
        new(RefusalKind.Draining, "The engine has stopped and takes no work. Retry on another worker.", LeastRetryMs);

    private EngineRefusal Refuse(EngineRefusal refusal)
    {
        Interlocked.Increment(ref _refused[(int)refusal.Kind]);
        return refusal;
    }

    /// <summary>
    /// When the next place may be free: the time between two departures, an exponential mean over those with others
    /// waiting behind them, so that idle hours do not count.
    /// </summary>
    private int RetryAfterMs() => (int)Math.Clamp(Volatile.Read(ref _departureMs), LeastRetryMs, MostRetryMs);
}
