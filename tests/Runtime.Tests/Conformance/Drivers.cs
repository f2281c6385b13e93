using Concertina.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans;

namespace Concertina.Runtime.Tests.Conformance;

/// <summary>The hosts the conformance tests run on. One more host is one more name here.</summary>
public static class Drivers
{
    public static TheoryData<string> All => ["in memory"];

    public static async Task<ITestCluster> StartAsync(string driver, ClusterSettings? settings = null)
    {
        settings ??= new ClusterSettings();
        return driver switch
        {
            "in memory" => await InMemoryCluster.CreateAsync(settings),
            _ => throw new ArgumentException($"No driver is named '{driver}'."),
        };
    }

    private sealed class InMemoryCluster(InProcessGrainHost host, Probe probe, FakeTimeProvider time) : ITestCluster
    {
        public IGrainFactory Grains => host.Client;

        public Probe Probe => probe;

        public void Advance(TimeSpan by) => time.Advance(by);

        public Task StopAsync() => host.StopAsync();

        public ValueTask DisposeAsync()
        {
            probe.OpenAll();
            return host.DisposeAsync();
        }

        internal static async Task<ITestCluster> CreateAsync(ClusterSettings settings)
        {
            Probe probe = new();
            FakeTimeProvider time = new();
            InProcessGrainHost host = await InProcessGrainHost.StartAsync(
                grains => grains.AddGrains(typeof(EchoGrain).Assembly).AddMemoryState().Configure(options =>
                {
                    options.MailboxLimit = settings.MailboxLimit;
                    options.CancelRequestOnTimeout = settings.CancelRequestOnTimeout;
                }),
                services => services.AddSingleton<TimeProvider>(time).AddSingleton(probe));
            return new InMemoryCluster(host, probe, time);
        }
    }
}
