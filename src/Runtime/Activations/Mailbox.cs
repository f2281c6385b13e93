using System.Diagnostics.CodeAnalysis;
using Concertina.Runtime.Calls;
using Concertina.Runtime.Waiting;

namespace Concertina.Runtime.Activations;

/// <summary>
/// Decides what may run in an activation: items that do not interleave one after the other, interleaving ones at
/// once, each in order of arrival. Holds what must wait. All members may be called from any thread.
/// </summary>
/// <param name="limit">Most calls that wait; 0: no bound.</param>
internal sealed class Mailbox(int limit)
{
    private readonly Lock _gate = new();
    private readonly WorkList _exclusive = new();
    private readonly WorkList _interleaving = new();
    private long _number;
    private int _waitingCount;
    private readonly HashSet<WorkItem> _running = [];
    private WorkItem? _exclusiveRunning;
    private MailboxState _state = MailboxState.Held;
    private TaskCompletionSource? _drained;

    private enum MailboxState
    {
        /// <summary>Takes items, starts none: the activation is being made.</summary>
        Held,

        /// <summary>Takes and starts items.</summary>
        Open,

        /// <summary>Takes items, starts none: the activation ends and the next one gets them.</summary>
        Draining,

        /// <summary>Takes nothing.</summary>
        Closed,
    }

    /// <summary>What the deadlock detector must wait for behind this mailbox; null when the next item could start.</summary>
    internal CallFrame? Blocker { get; set; }

    internal bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return _running.Count == 0 && _exclusive.First is null && _interleaving.First is null;
            }
        }
    }

    internal Admission Add(WorkItem item)
    {
        lock (_gate)
        {
            if (_state == MailboxState.Closed)
            {
                return Admission.Closed;
            }

            if (item.Counts)
            {
                if (limit > 0 && _waitingCount >= limit)
                {
                    return Admission.Full;
                }

                _waitingCount++;
            }

            item.Number = _number++;
            (item.Interleaves ? _interleaving : _exclusive).AddLast(item);
            return Admission.Accepted;
        }
    }

    /// <summary>Takes a waiting item out, because its caller gave up; false when it already left.</summary>
    internal bool Remove(WorkItem item)
    {
        lock (_gate)
        {
            if (item.List is null)
            {
                return false;
            }

            Leave(item);
            return true;
        }
    }

    internal bool HasStartable()
    {
        lock (_gate)
        {
            return Startable() is not null;
        }
    }

    /// <summary>Takes the next item that may start and counts it as running.</summary>
    internal bool TryTake([NotNullWhen(true)] out WorkItem? item)
    {
        lock (_gate)
        {
            item = Startable();
            if (item is null)
            {
                return false;
            }

            Leave(item);
            _running.Add(item);
            if (!item.Interleaves)
            {
                _exclusiveRunning = item;
                Blocker = item.Frame;
            }

            return true;
        }
    }

    /// <summary>A running item has ended.</summary>
    internal void Finish(WorkItem item)
    {
        TaskCompletionSource? drained = null;
        lock (_gate)
        {
            _running.Remove(item);
            if (_exclusiveRunning == item)
            {
                _exclusiveRunning = null;
                Blocker = null;
            }

            if (_running.Count == 0)
            {
                drained = _drained;
            }
        }

        drained?.TrySetResult();
    }

    internal void Open()
    {
        lock (_gate)
        {
            if (_state == MailboxState.Held)
            {
                _state = MailboxState.Open;
            }
        }
    }

    /// <summary>Starts nothing more; completes when nothing runs.</summary>
    internal Task Drain()
    {
        lock (_gate)
        {
            _state = MailboxState.Draining;
            if (_running.Count == 0)
            {
                return Task.CompletedTask;
            }

            _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    /// <summary>Takes nothing more; gives out what waited, in order of arrival.</summary>
    internal List<WorkItem> Close()
    {
        lock (_gate)
        {
            _state = MailboxState.Closed;
            List<WorkItem> left = [];
            while ((_exclusive.First ?? _interleaving.First) is { } item)
            {
                Leave(item);
                left.Add(item);
            }

            left.Sort(static (a, b) => a.Number.CompareTo(b.Number));
            return left;
        }
    }

    /// <summary>Cancels the tokens of the calls that run.</summary>
    internal void CancelRunning()
    {
        WorkItem[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        foreach (GrainCall call in running.OfType<GrainCall>())
        {
            call.CancelCallee();
        }
    }

    private WorkItem? Startable()
    {
        if (_state != MailboxState.Open)
        {
            return null;
        }

        WorkItem? interleaving = _interleaving.First;
        WorkItem? exclusive = _exclusiveRunning is null ? _exclusive.First : null;
        return interleaving is null || (exclusive is not null && exclusive.Number < interleaving.Number)
            ? exclusive
            : interleaving;
    }

    private void Leave(WorkItem item)
    {
        item.List!.Remove(item);
        if (item.Counts)
        {
            _waitingCount--;
        }
    }
}
