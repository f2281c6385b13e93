using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

[Alias("test.timed")]
public interface ITimedGrain : IGrainWithStringKey
{
    [Alias("start")]
    Task Start(TimeSpan due, TimeSpan period, bool interleave, string? gate);

    [Alias("change")]
    Task Change(TimeSpan due, TimeSpan period);

    [Alias("stop")]
    Task Stop();

    [Alias("hold")]
    Task Hold(string gate);

    [AlwaysInterleave]
    [Alias("ticks")]
    Task<int> Ticks();
}

public sealed class TimedGrain(Probe probe) : Grain, ITimedGrain
{
    private IGrainTimer? _timer;
    private int _ticks;

    public Task Start(TimeSpan due, TimeSpan period, bool interleave, string? gate)
    {
        _timer = this.RegisterGrainTimer(
            async cancellation =>
            {
                _ticks++;
                probe.Happened($"tick {_ticks}");
                if (gate is not null)
                {
                    await probe.Gate(gate).WaitAsync(cancellation);
                }

                probe.Happened($"ticked {_ticks}");
            },
            new GrainTimerCreationOptions { DueTime = due, Period = period, Interleave = interleave });
        return Task.CompletedTask;
    }

    public Task Change(TimeSpan due, TimeSpan period)
    {
        _timer!.Change(due, period);
        return Task.CompletedTask;
    }

    public Task Stop()
    {
        _timer!.Dispose();
        return Task.CompletedTask;
    }

    public async Task Hold(string gate)
    {
        probe.Happened($"hold {gate}");
        await probe.Gate(gate);
    }

    public Task<int> Ticks() => Task.FromResult(_ticks);
}
