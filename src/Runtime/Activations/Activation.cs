using Concertina.Runtime.Enumerations;
using Concertina.Runtime.Hosting;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Activations;

/// <summary>One grain in memory: its object, its turns, its mailbox, its timers and streams.</summary>
internal sealed class Activation : IGrainContext
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<ActivationTimer> _timers = [];
    private ActivationState _state = ActivationState.Activating;
    private DeactivationReason? _endRequested;
    private long _lastUse;
    private long _delayedUntil;
    private bool _delayedForEver;

    internal Activation(Silo silo, GrainClass grainClass, GrainId grainId)
    {
        Silo = silo;
        Class = grainClass;
        GrainId = grainId;
        Mailbox = new Mailbox(silo.Options.MailboxLimit);
        Scheduler = new ActivationScheduler(this, silo.Scheduler);
        Enumerations = new EnumerationTable(this);
        Lifecycle = new ActivationLifecycle(this);
        _lastUse = silo.Time.GetTimestamp();
    }

    /// <inheritdoc/>
    public GrainId GrainId { get; }

    /// <inheritdoc/>
    public object? GrainInstance => Lifecycle.Instance;

    /// <inheritdoc/>
    public IServiceProvider ActivationServices => Lifecycle.Services;

    /// <inheritdoc/>
    public Task Deactivated => _ended.Task;

    internal Silo Silo { get; }

    internal GrainClass Class { get; }

    internal Mailbox Mailbox { get; }

    internal ActivationScheduler Scheduler { get; }

    internal EnumerationTable Enumerations { get; }

    internal ActivationLifecycle Lifecycle { get; }

    internal ActivationState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>The activation of a grain object.</summary>
    /// <exception cref="InvalidOperationException">The object was made outside of a host.</exception>
    internal static Activation Of(object grain) => (grain as IGrainBase)?.GrainContext as Activation
        ?? throw new InvalidOperationException(
            $"'{grain.GetType()}' is not a grain of this host. Grains are made by the host; others hold references from IGrainFactory.");

    /// <inheritdoc/>
    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    /// <inheritdoc/>
    public override int GetHashCode() => GrainId.GetHashCode();

    /// <summary>Puts an item into the mailbox.</summary>
    internal Admission Add(WorkItem item)
    {
        item.At = this;
        Admission admission = Mailbox.Add(item);
        if (admission == Admission.Accepted)
        {
            Scheduler.Signal();
        }

        return admission;
    }

    /// <summary>A running item has ended; called on the activation's scheduler.</summary>
    internal void Finish(WorkItem item)
    {
        Mailbox.Finish(item);
        if (item.Counts)
        {
            Touch();
        }
    }

    /// <summary>The activation was used now.</summary>
    internal void Touch() => Volatile.Write(ref _lastUse, Silo.Time.GetTimestamp());

    internal void Start()
    {
        _ = Scheduler.Post(Lifecycle.ActivateAsync);
    }

    /// <summary>Activation is through: requests may run, unless the grain already asked for its end.</summary>
    internal void Opened()
    {
        DeactivationReason? end;
        lock (_gate)
        {
            _state = ActivationState.Active;
            end = _endRequested;
        }

        Touch();
        Mailbox.Open();
        Scheduler.Signal();
        if (end is { } reason)
        {
            Deactivate(reason);
        }
    }

    /// <inheritdoc/>
    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_state != ActivationState.Active)
            {
                _endRequested ??= deactivationReason;
                return;
            }

            _state = ActivationState.Deactivating;
        }

        _ = Scheduler.Post(() => Lifecycle.DeactivateAsync(deactivationReason, cancellationToken));
    }

    /// <summary>Nothing runs here any more; what waited moves on.</summary>
    internal void Ended()
    {
        lock (_gate)
        {
            _state = ActivationState.Ended;
        }

        _ended.TrySetResult();
    }

    internal void DelayCollection(TimeSpan delay)
    {
        lock (_gate)
        {
            _delayedForEver = delay == Timeout.InfiniteTimeSpan || delay == TimeSpan.MaxValue;
            _delayedUntil = _delayedForEver || delay <= TimeSpan.Zero
                ? 0
                : Silo.Time.GetTimestamp() + (long)(delay.TotalSeconds * Silo.Time.TimestampFrequency);
        }
    }

    /// <summary>True when idle collection may end the activation now.</summary>
    internal bool IsCollectable()
    {
        if (Class.IdleAge is not { } age || !Mailbox.IsIdle)
        {
            return false;
        }

        lock (_gate)
        {
            return _state == ActivationState.Active
                && !_delayedForEver
                && Silo.Time.GetTimestamp() >= _delayedUntil
                && Silo.Time.GetElapsedTime(Volatile.Read(ref _lastUse)) >= age;
        }
    }

    internal ActivationTimer RegisterTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        ActivationTimer timer = new(this, callback, options);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    internal void Forget(ActivationTimer timer)
    {
        lock (_gate)
        {
            _timers.Remove(timer);
        }
    }

    internal void DisposeTimers()
    {
        ActivationTimer[] timers;
        lock (_gate)
        {
            timers = [.. _timers];
        }

        foreach (ActivationTimer timer in timers)
        {
            timer.Dispose();
        }
    }
}
