using Concertina.Runtime.Activations;
using Concertina.Runtime.Clustering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Runtime.Hosting;

/// <summary>Adds the grain host to a process.</summary>
public static class GrainHostServiceExtensions
{
    /// <summary>
    /// Adds one silo: starts and stops with the process, offers <see cref="IGrainFactory"/>, <see cref="IClusterClient"/>
    /// and <see cref="ILocalSiloDetails"/>. Time comes from the registered <see cref="TimeProvider"/>.
    /// </summary>
    public static IServiceCollection AddGrainHost(this IServiceCollection services, Action<GrainHostBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        GrainHostBuilder builder = new(services);
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<GrainHostOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddKeyedSingleton<IPlacementDirector, RandomPlacementDirector>(typeof(RandomPlacement));
        services.TryAddKeyedSingleton<IPlacementDirector, PreferLocalPlacementDirector>(typeof(PreferLocalPlacement));
        configure(builder);
        services.AddSingleton(builder);
        services.AddSingleton<RuntimeMetrics>();
        services.AddSingleton<Silo>();
        services.AddSingleton<ILocalSiloDetails>(provider => provider.GetRequiredService<Silo>());
        services.AddSingleton<IClusterClient>(provider => provider.GetRequiredService<Silo>().Factory);
        services.AddSingleton<IGrainFactory>(provider => provider.GetRequiredService<Silo>().Factory);
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<Silo>());
        services.AddScoped<ActivationScope>();
        services.AddScoped<IGrainContext>(provider => provider.GetRequiredService<ActivationScope>().Activation
            ?? throw new InvalidOperationException("IGrainContext exists only in the service scope of a grain."));
        return services;
    }
}
