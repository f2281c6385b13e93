using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.Store;
using Concertina.Grains.Tenants;
using Concertina.Grains.Workers;
using Concertina.Runtime.Storage;
using Concertina.Silo.Memory;
using Concertina.Silo.Models;
using Concertina.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Silo;

/// <summary>Adds a silo with one worker to a host: options, grain host, model, engine, drain.</summary>
public static class SiloHosting
{
    private const string Device = "0";

    /// <summary>Seconds the host has after the drain to stop its services.</summary>
    private const double StopSeconds = 10;

    /// <summary>Registers the silo. The options are checked when the host starts.</summary>
    /// <param name="builder">The host.</param>
    /// <exception cref="FormatException">A size in the configuration cannot be read; the message names its key.</exception>
    public static IHostApplicationBuilder AddConcertinaSilo(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ByteSize.Normalize(builder.Configuration);
        AddOptions(builder.Services, builder.Configuration);
        AddWorker(builder.Services);
        // In this order: services stop in reverse, so the model is freed last, after the grains that hold its sequences.
        builder.Services.AddHostedService(provider => provider.GetRequiredService<ModelService>());
        GrainHosting.Add(builder.Services);
        builder.Services.AddHostedService<DrainService>().AddHostedService<WorkerService>().AddHostedService<SessionSweep>()
            .AddHostedService<MemoryLimitWatch>();
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<SiloOptions>>((host, silo) =>
            host.ShutdownTimeout = TimeSpan.FromSeconds(silo.Value.DrainSeconds + StopSeconds));
        return builder;
    }

    private static void AddOptions(IServiceCollection services, IConfiguration configuration)
    {
        Bind<EngineOptions>(services, configuration, EngineOptions.Section);
        Bind<StoreOptions>(services, configuration, StoreOptions.Section)
            .Validate(options => options.Directory.Length > 0, "Store:Directory is empty; name a folder that can be written.");
        Bind<SiloOptions>(services, configuration, SiloOptions.Section);
        Bind<ModelOptions>(services, configuration, ModelOptions.Section)
            .Validate(options => options.Path.Length > 0, "Model:Path is empty; name a GGUF file (--model FILE.gguf).");
        Bind<KvCacheOptions>(services, configuration, KvCacheOptions.Section)
            .Validate(options => options.Codec is "f16" or "f32", "KvCache:Codec must be f16 or f32.");
        services.AddOptionsWithValidateOnStart<TenantsOptions, TenantsValidator>();
        services.AddSingleton<IOptionsFactory<TenantsOptions>>(provider => new TenantsFactory(configuration, provider.GetServices<IValidateOptions<TenantsOptions>>()));
    }

    private static OptionsBuilder<T> Bind<T>(IServiceCollection services, IConfiguration configuration, string section)
        where T : class =>
        services.AddOptions<T>().Bind(configuration.GetSection(section), binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateDataAnnotations().ValidateOnStart();

    private static void AddWorker(IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton(provider => new SessionTokenStore(
            provider.GetRequiredService<IOptions<StoreOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new LocalWorker(
            $"{provider.GetRequiredService<IOptions<SiloOptions>>().Value.Name}/{Device}",
            provider.GetRequiredService<IOptions<ModelOptions>>().Value.ServedName));
        services.TryAddSingleton<Func<MemoryReading>>(static () => new MemoryReading(MachineMemory.LimitBytes(), MachineMemory.AvailableBytes()));
        services.AddSingleton<ModelLoader>().AddSingleton<SiloMetrics>();
        services.AddSingleton<ModelService>(MakeModelService);
    }

    private static ModelService MakeModelService(IServiceProvider provider)
    {
        // Made before anything starts: a folder that another process holds must stop the start. Nobody asks for the gauges.
        _ = provider.GetRequiredKeyedService<IStateStore>(GrainHosting.StateName);
        _ = provider.GetRequiredService<SiloMetrics>();
        return new ModelService(
            provider.GetRequiredService<ModelLoader>(), provider.GetRequiredService<LocalWorker>(),
            provider.GetRequiredService<IOptions<ModelOptions>>(), provider.GetRequiredService<ILogger<ModelService>>());
    }
}
