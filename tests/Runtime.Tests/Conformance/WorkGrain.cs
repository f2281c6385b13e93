using System.Diagnostics;
using System.Runtime.CompilerServices;
using Orleans;

namespace Concertina.Runtime.Tests.Conformance;

/// <summary>A grain that does what the tests of turns, cancellation and streams ask for.</summary>
public sealed class WorkGrain(Probe probe) : Grain, IWorkGrain
{
    public static readonly AsyncLocal<string?> CallersOwn = new();

    private int _count;

    private string Key => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        probe.Happened($"{Key} activates");
        if (Key.StartsWith("broken", StringComparison.Ordinal) && !probe.HasHappened("repaired"))
        {
            await Task.Yield();
            throw new InvalidOperationException("cannot begin");
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Happened($"{Key} ends: {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public Task<int> Next(CancellationToken cancellation)
    {
        probe.Happened($"{Key} next");
        return Task.FromResult(++_count);
    }

    public async Task Hold(string gate, CancellationToken cancellation)
    {
        probe.Happened($"hold {gate}");
        try
        {
            await probe.Gate(gate).WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            probe.Happened($"cancelled {gate}");
            throw;
        }

        probe.Happened($"held {gate}");
    }

    public Task<int> Peek() => Task.FromResult(_count);

    public Task Slow(string gate, CancellationToken cancellation) => Hold(gate, cancellation);

    public Task End()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task DelayEnd(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }

    public async Task<int> Relay(IWorkGrain other, IWorkGrain? then) =>
        then is null ? await other.Next() : await other.Relay(then, null);

    public Task<string> Ambient() => Task.FromResult($"{CallersOwn.Value ?? "none"} {Activity.Current?.OperationName ?? "none"}");

    public async IAsyncEnumerable<int> Tokens(
        string gate, int before, int after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        try
        {
            for (int i = 0; i < before; i++)
            {
                yield return i;
            }

            probe.Happened($"stream {gate}");
            await probe.Gate(gate).WaitAsync(cancellation);
            for (int i = before; i < before + after; i++)
            {
                yield return i;
            }
        }
        finally
        {
            probe.Happened($"stream {gate} left, cancelled {cancellation.IsCancellationRequested}");
        }
    }

    public async IAsyncEnumerable<int> Faulty(int before)
    {
        for (int i = 0; i < before; i++)
        {
            yield return i;
        }

        await Task.Yield();
        throw new ArgumentException("no more");
    }
}
