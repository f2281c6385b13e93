using System.Collections.Concurrent;

namespace Concertina.Runtime.Tests.Conformance;

/// <summary>How tests see into grains and hold them: events that happened, gates that open.</summary>
public sealed class Probe
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _events = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly ConcurrentQueue<string> _log = new();

    public string[] Log => [.. _log];

    /// <summary>Something happened, perhaps not for the first time.</summary>
    public void Happened(string name)
    {
        _log.Enqueue(name);
        Event(name).TrySetResult();
    }

    public bool HasHappened(string name) => Event(name).Task.IsCompleted;

    /// <summary>Waits until something happened; the guard fails with what did happen.</summary>
    public async Task WaitFor(string name)
    {
        try
        {
            await Event(name).Task.WaitAsync(Guard);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"'{name}' did not happen. What did: {string.Join(", ", _log)}");
        }
    }

    public Task Gate(string name) => GateOf(name).Task;

    public void Open(string name) => GateOf(name).TrySetResult();

    public void OpenAll()
    {
        foreach (TaskCompletionSource gate in _gates.Values)
        {
            gate.TrySetResult();
        }
    }

    private TaskCompletionSource Event(string name) =>
        _events.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private TaskCompletionSource GateOf(string name) =>
        _gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
