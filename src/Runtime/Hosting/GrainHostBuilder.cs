using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using Concertina.Runtime.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Runtime.Hosting;

/// <summary>What a process says about its grain host.</summary>
public sealed class GrainHostBuilder
{
    internal GrainHostBuilder(IServiceCollection services)
    {
        Services = services;
    }

    /// <summary>Services of the process.</summary>
    public IServiceCollection Services { get; }

    internal HashSet<Assembly> Assemblies { get; } = [];

    internal HashSet<Type> GrainTypes { get; } = [];

    internal HashSet<Type> Exceptions { get; } = [];

    internal List<IJsonTypeInfoResolver> Resolvers { get; } = [];

    internal TaskScheduler Scheduler { get; private set; } = TaskScheduler.Default;

    /// <summary>Takes every grain class of an assembly.</summary>
    public GrainHostBuilder AddGrains(Assembly assembly)
    {
        Assemblies.Add(assembly);
        return this;
    }

    /// <summary>Takes one grain class, for tests that need only a few.</summary>
    public GrainHostBuilder AddGrain<TGrain>()
        where TGrain : Orleans.IGrainBase
    {
        GrainTypes.Add(typeof(TGrain));
        return this;
    }

    /// <summary>Sets limits and times.</summary>
    public GrainHostBuilder Configure(Action<GrainHostOptions> configure)
    {
        Services.Configure(configure);
        return this;
    }

    /// <summary>Keeps states of a store in memory.</summary>
    public GrainHostBuilder AddMemoryState(string name = "Default")
    {
        Services.AddKeyedSingleton<IStateStore>(name, new MemoryStateStore());
        return this;
    }

    /// <summary>Keeps states of a store in files of a local directory, which only this process may use.</summary>
    public GrainHostBuilder AddFileState(string name, string directory) => AddState(name, _ => new FileStateStore(directory));

    /// <summary>Adds a state store of one's own.</summary>
    public GrainHostBuilder AddState(string name, Func<IServiceProvider, IStateStore> create)
    {
        Services.AddKeyedSingleton(name, (services, _) => create(services));
        return this;
    }

    /// <summary>Lets a director choose the silos of a placement strategy.</summary>
    public GrainHostBuilder AddPlacementDirector<TStrategy, TDirector>()
        where TStrategy : PlacementStrategy
        where TDirector : class, IPlacementDirector
    {
        Services.AddKeyedSingleton<IPlacementDirector, TDirector>(typeof(TStrategy));
        return this;
    }

    /// <summary>Adds source-generated JSON contracts. Those in the assemblies of grains and their interfaces are found without.</summary>
    public GrainHostBuilder AddTypeInfoResolver(IJsonTypeInfoResolver resolver)
    {
        Resolvers.Add(resolver);
        return this;
    }

    /// <summary>Lets an exception type cross to callers as itself; it needs a constructor with a message.</summary>
    public GrainHostBuilder AddException<TException>()
        where TException : Exception
    {
        Exceptions.Add(typeof(TException));
        return this;
    }

    /// <summary>Runs all turns on this scheduler instead of the thread pool.</summary>
    public GrainHostBuilder UseScheduler(TaskScheduler scheduler)
    {
        Scheduler = scheduler;
        return this;
    }
}
