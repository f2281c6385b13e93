namespace Concertina.Compute.Engine.Spill;

/// <summary>
/// The thread that reads and writes page files, so that the engine's never waits for a disk. Work is done in the order it came,
/// so that a session's file is whole before it is read. Bounded by what posts: copies by their buffer, reads by the requests that
/// wait. Thread-safe.
/// </summary>
internal sealed class PageWorker
{
    private readonly object _signal = new();
    private readonly Queue<Action> _work = [];
    private readonly bool _manual;
    private Thread? _thread;
    private bool _closed;

    /// <param name="manual">True: the caller runs the work (<see cref="RunPending"/>).</param>
    public PageWorker(bool manual) => _manual = manual;

    /// <summary>Adds work; after <see cref="Stop"/> nothing is taken.</summary>
    /// <returns>False when it was not taken.</returns>
    public bool TryPost(Action work)
    {
        lock (_signal)
        {
            if (_closed)
            {
                return false;
            }
            _work.Enqueue(work);
            if (!_manual && _thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "page files" };
                _thread.Start();
            }
            Monitor.Pulse(_signal);
            return true;
        }
    }

    /// <summary>Does what is there; for tests.</summary>
    /// <param name="most">Most pieces of work.</param>
    /// <returns>True when there was something.</returns>
    public bool RunPending(int most = int.MaxValue)
    {
        bool any = false;
        while (most-- > 0 && Take(waits: false) is { } work)
        {
            work();
            any = true;
        }
        return any;
    }

    /// <summary>Takes no more, does what is there and ends.</summary>
    public void Stop()
    {
        lock (_signal)
        {
            _closed = true;
            Monitor.PulseAll(_signal);
        }
        if (_thread is { } thread)
        {
            thread.Join();
        }
        else
        {
            RunPending();
        }
    }

    private void Run()
    {
        while (Take(waits: true) is { } work)
        {
            work();
        }
    }

    private Action? Take(bool waits)
    {
        lock (_signal)
        {
            while (waits && _work.Count == 0 && !_closed)
            {
                Monitor.Wait(_signal);
            }
            return _work.TryDequeue(out Action? work) ? work : null;
        }
    }
}
