namespace Concertina.Compute.Store;

/// <summary>
/// Who may touch which file: one holder per path, any number of paths at a time, or one holder of all. Waits; a holder of
/// all goes before those who come later, so it cannot starve.
/// </summary>
internal sealed class FileGate
{
    private readonly object _lock = new();
    private readonly HashSet<string> _held = [];
    private bool _allHeld;

    /// <summary>Waits until nobody holds the path.</summary>
    public void Enter(string path)
    {
        lock (_lock)
        {
            while (_allHeld || !_held.Add(path))
            {
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Lets a path go.</summary>
    public void Exit(string path)
    {
        lock (_lock)
        {
            _held.Remove(path);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until nobody holds anything. The caller holds no path.</summary>
    public void EnterAll()
    {
        lock (_lock)
        {
            while (_allHeld)
            {
                Monitor.Wait(_lock);
            }
            _allHeld = true;
            while (_held.Count > 0)
            {
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Lets everything go.</summary>
    public void ExitAll()
    {
        lock (_lock)
        {
            _allHeld = false;
            Monitor.PulseAll(_lock);
        }
    }
}
