namespace Concertina.Compute.Engine.Budget;

/// <summary>A budget that the outside asked for. Until the engine takes it, a later one replaces its number; so one waits at most.</summary>
internal sealed class BudgetRequest(long bytes)
{
    private readonly TaskCompletionSource<KvBudgetState> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private long _bytes = bytes;
    private bool _taken;

    public Task<KvBudgetState> Done => _done.Task;

    /// <returns>False when it was taken before.</returns>
    public bool TryReplace(long bytes)
    {
        lock (_lock)
        {
            _bytes = _taken ? _bytes : bytes;
            return !_taken;
        }
    }

    /// <summary>Engine thread: the bytes that are asked for, from now on for good.</summary>
    public long Take()
    {
        lock (_lock)
        {
            _taken = true;
            return _bytes;
        }
    }

    public void Complete(in KvBudgetState state) => _done.TrySetResult(state);

    public void Fail(Exception problem) => _done.TrySetException(problem);

    /// <summary>The engine ended first.</summary>
    public void Stop() => Fail(new ObjectDisposedException(
        nameof(InferenceEngine), "The engine has ended or failed; its KV budget cannot be changed any more."));
}
