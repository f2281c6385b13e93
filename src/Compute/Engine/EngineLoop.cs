namespace Concertina.Compute.Engine;

/// <summary>The only file that owns a thread: runs steps while there is something to do, else parks until it is woken.</summary>
internal sealed class EngineLoop
{
    private readonly object _signal = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EngineStep? _step;
    private StageMark? _mark;
    private bool _woken;
    private volatile bool _stopping;

    /// <summary>Something may be runnable; any thread.</summary>
    public void Wake()
    {
        lock (_signal)
        {
            _woken = true;
            Monitor.Pulse(_signal);
        }
    }

    public void Start(EngineStep step, StageMark mark)
    {
        _step = step;
        _mark = mark;
        new Thread(Run) { IsBackground = true, Name = "engine" }.Start();
    }

    /// <summary>Ends the loop after the current step; completes when everything is freed.</summary>
    public Task StopAsync()
    {
        _stopping = true;
        Wake();
        return _ended.Task;
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                if (!_step!.RunOnce())
                {
                    _mark!.Enter(EngineStage.Parked);
                    Park();
                }
            }
            _step!.Stop();
            _ended.SetResult();
        }
        // The end of the thread: whoever disposes the engine gets the reason.
        catch (Exception exception)
        {
            _step!.Abandon(exception);
            _ended.SetException(exception);
        }
    }

    private void Park()
    {
        lock (_signal)
        {
            while (!_woken)
            {
                Monitor.Wait(_signal);
            }
            _woken = false;
        }
    }
}
