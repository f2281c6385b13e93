namespace Concertina.Runtime.Simulation;

/// <summary>
/// A task scheduler that runs nothing by itself: <see cref="RunUntilIdle"/> runs what is queued on the calling thread,
/// in an order drawn from a seed. Same seed and same inputs give the same order of turns.
/// </summary>
/// <param name="seed">Chooses the order.</param>
public sealed class SimulationScheduler(int seed) : TaskScheduler
{
    private readonly Lock _gate = new();
    private readonly List<Task> _queue = [];
    private readonly Random _random = new(seed);
    private int _runner;

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Turns run so far.</summary>
    public long TurnCount { get; private set; }

    /// <summary>Runs turns until none is queued.</summary>
    /// <param name="turnLimit">Most turns; a livelock must not hang a test.</param>
    /// <exception cref="InvalidOperationException">Turns were still queued at the limit.</exception>
    public void RunUntilIdle(int turnLimit = 1_000_000)
    {
        _runner = Environment.CurrentManagedThreadId;
        for (int turn = 0; turn < turnLimit; turn++)
        {
            if (!TryTake(out Task? task))
            {
                return;
            }

            TurnCount++;
            TryExecuteTask(task!);
        }

        throw new InvalidOperationException($"Turns were still queued after {turnLimit} turns: a livelock, or raise the limit.");
    }

    /// <inheritdoc/>
    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            _queue.Add(task);
        }
    }

    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && _runner == Environment.CurrentManagedThreadId && TryExecuteTask(task);

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_gate)
        {
            return [.. _queue];
        }
    }

    private bool TryTake(out Task? task)
    {
        lock (_gate)
        {
            if (_queue.Count == 0)
            {
                task = null;
                return false;
            }

            int index = _random.Next(_queue.Count);
            task = _queue[index];
            _queue.RemoveAt(index);
            return true;
        }
    }
}
