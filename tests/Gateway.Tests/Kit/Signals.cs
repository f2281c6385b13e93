using System.Collections.Concurrent;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Things that happened, by name, and a way to wait for one without sleeping.</summary>
internal sealed class Signals
{
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _signals = new();

    public void Raise(string name) => Of(name).TrySetResult();

    public bool IsRaised(string name) => Of(name).Task.IsCompleted;

    public async Task Wait(string name)
    {
        try
        {
            await Of(name).Task.WaitAsync(Guard);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"'{name}' did not happen within {Guard}. Seen: {string.Join(", ", _signals.Where(s => s.Value.Task.IsCompleted).Select(s => s.Key))}");
        }
    }

    private TaskCompletionSource Of(string name) =>
        _signals.GetOrAdd(name, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
