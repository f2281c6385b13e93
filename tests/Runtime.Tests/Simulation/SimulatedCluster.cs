using Concertina.Runtime.Hosting;
using Concertina.Runtime.Simulation;
using Concertina.Runtime.Tests.Conformance;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans;

namespace Concertina.Runtime.Tests.Simulation;

/// <summary>A host whose every turn, and whose callers, run on the test's thread in an order drawn from a seed.</summary>
internal sealed class SimulatedCluster : IAsyncDisposable
{
    private readonly SimulationScheduler _scheduler;
    private readonly InProcessGrainHost _host;

    private SimulatedCluster(SimulationScheduler scheduler, InProcessGrainHost host, Probe probe, FakeTimeProvider time)
    {
        _scheduler = scheduler;
        _host = host;
        Probe = probe;
        Time = time;
    }

    internal Probe Probe { get; }

    internal FakeTimeProvider Time { get; }

    internal IGrainFactory Grains => _host.Client;

    internal static async Task<SimulatedCluster> StartAsync(int seed)
    {
        SimulationScheduler scheduler = new(seed);
        FakeTimeProvider time = new();
        Probe probe = new();
        InProcessGrainHost host = await InProcessGrainHost.StartAsync(
            grains => grains.AddGrains(typeof(EchoGrain).Assembly).AddMemoryState().UseScheduler(scheduler),
            services => services.AddSingleton<TimeProvider>(time).AddSingleton(probe));
        return new SimulatedCluster(scheduler, host, probe, time);
    }

    /// <summary>Begins a caller; it runs when the simulation does.</summary>
    internal Task<T> Begin<T>(Func<Task<T>> caller) =>
        Task.Factory.StartNew(caller, CancellationToken.None, TaskCreationOptions.None, _scheduler).Unwrap();

    /// <summary>Runs until nothing can go on without time or a gate.</summary>
    internal void Run() => _scheduler.RunUntilIdle();

    internal void Advance(TimeSpan time)
    {
        Time.Advance(time);
        Run();
    }

    public async ValueTask DisposeAsync()
    {
        Probe.OpenAll();
        Task stopped = _host.StopAsync();
        Run();
        await stopped;
        await _host.DisposeAsync();
    }
}
