using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;

namespace Concertina.Runtime.Hosting;

/// <summary>A grain host without a web host around it, for tests and tools. The deadlock detector is on.</summary>
public sealed class InProcessGrainHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private InProcessGrainHost(ServiceProvider services)
    {
        _services = services;
    }

    /// <summary>Makes references to grains.</summary>
    public IClusterClient Client => _services.GetRequiredService<IClusterClient>();

    /// <summary>Grains that are in memory now.</summary>
    public int ActivationCount => _services.GetRequiredService<Silo>().Catalog.Count;

    /// <summary>Services of the host.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Starts a host.</summary>
    /// <param name="configure">Grains, states, options.</param>
    /// <param name="services">Further services, for example a fake engine or a fake TimeProvider.</param>
    public static async Task<InProcessGrainHost> StartAsync(
        Action<GrainHostBuilder> configure, Action<IServiceCollection>? services = null)
    {
        ServiceCollection collection = new();
        services?.Invoke(collection);
        collection.AddGrainHost(builder =>
        {
            builder.Configure(options => options.DetectDeadlocks = true);
            configure(builder);
        });
        InProcessGrainHost host = new(collection.BuildServiceProvider());
        foreach (IHostedService hosted in host._services.GetServices<IHostedService>())
        {
            await hosted.StartAsync(CancellationToken.None);
        }

        return host;
    }

    /// <summary>Ends all activations and stops.</summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        foreach (IHostedService hosted in _services.GetServices<IHostedService>().Reverse())
        {
            await hosted.StopAsync(cancellation);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _services.DisposeAsync();
    }
}
