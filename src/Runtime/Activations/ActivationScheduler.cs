namespace Concertina.Runtime.Activations;

/// <summary>
/// The turns of one activation: at most one thread at a time runs its tasks and starts its mailbox items, as one work
/// item on the injected base scheduler.
/// </summary>
internal sealed class ActivationScheduler : TaskScheduler, IThreadPoolWorkItem
{
    // Other activations wait for this thread, so a busy one gives way after this many turns; under an injected
    // scheduler after each, so that a seeded simulation can order every turn.
    private const int TurnsPerVisit = 64;

    private static readonly Action<object?> StartItem = static state => ((WorkItem)state!).Start();

    [ThreadStatic]
    private static ActivationScheduler? _current;

    private readonly Lock _gate = new();
    private readonly Queue<Task> _tasks = new();
    private readonly TaskScheduler _base;
    private readonly bool _onPool;
    private int _signaled;
    private bool _mailboxFirst;

    internal ActivationScheduler(Activation activation, TaskScheduler @base)
    {
        Activation = activation;
        _base = @base;
        _onPool = ReferenceEquals(@base, Default);
    }

    /// <summary>The activation whose turn runs on this thread; null outside of grains.</summary>
    internal static Activation? CurrentActivation => (Current as ActivationScheduler)?.Activation;

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => 1;

    internal Activation Activation { get; }

    /// <summary>There may be work.</summary>
    internal void Signal()
    {
        if (Interlocked.Exchange(ref _signaled, 1) == 0)
        {
            Visit();
        }
    }

    /// <summary>Runs an action as a turn, whatever state the mailbox is in.</summary>
    internal void Post(Action action)
    {
        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this);
    }

    /// <summary>Runs an asynchronous function as turns, whatever state the mailbox is in.</summary>
    internal Task Post(Func<Task> function)
    {
        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        return Task.Factory.StartNew(function, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();
    }

    void IThreadPoolWorkItem.Execute() => Run(TurnsPerVisit);

    /// <inheritdoc/>
    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            _tasks.Enqueue(task);
        }

        Signal();
    }

    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && _current == this && TryExecuteTask(task);

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_gate)
        {
            return _tasks.ToArray();
        }
    }

    private void Visit()
    {
        if (_onPool)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
            return;
        }

        using AsyncFlowControl flow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = Task.Factory.StartNew(
            static state => ((ActivationScheduler)state!).RunOnInjected(),
            this,
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach,
            _base);
    }

    private void RunOnInjected()
    {
        ExecutionContext? outer = ExecutionContext.Capture();
        Run(turnsPerVisit: 1);
        if (outer is not null)
        {
            ExecutionContext.Restore(outer);
        }
    }

    private void Run(int turnsPerVisit)
    {
        ActivationScheduler? outer = _current;
        _current = this;
        try
        {
            for (int turn = 0; turn < turnsPerVisit; turn++)
            {
                while (!RunTurn())
                {
                    Volatile.Write(ref _signaled, 0);
                    Interlocked.MemoryBarrier();
                    if (!HasWork() || Interlocked.Exchange(ref _signaled, 1) != 0)
                    {
                        return;
                    }
                }
            }
        }
        finally
        {
            _current = outer;
        }

        Visit();
    }

    // Alternates, so that neither continuations nor new requests can starve the other.
    private bool RunTurn()
    {
        _mailboxFirst = !_mailboxFirst;
        return _mailboxFirst ? RunItem() || RunTask() : RunTask() || RunItem();
    }

    private bool RunTask()
    {
        Task? task;
        lock (_gate)
        {
            if (!_tasks.TryDequeue(out task))
            {
                return false;
            }
        }

        TryExecuteTask(task);
        return true;
    }

    private bool RunItem()
    {
        if (!Activation.Mailbox.TryTake(out WorkItem? item))
        {
            return false;
        }

        CleanContext.Restore();
        new Task(StartItem, item).RunSynchronously(this);
        CleanContext.Restore();
        return true;
    }

    private bool HasWork()
    {
        lock (_gate)
        {
            if (_tasks.Count > 0)
            {
                return true;
            }
        }

        return Activation.Mailbox.HasStartable();
    }
}
