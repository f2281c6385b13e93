using Concertina.Compute.Store;
using Concertina.Grains.Sessions;
using Concertina.Grains.Workers;
using Concertina.Runtime.Hosting;
using Concertina.Runtime.Storage;
using Concertina.Silo.Options;
using Concertina.Silo.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Concertina.Silo;

/// <summary>The built-in grain host of a silo. The Orleans engine brings its own file in this place.</summary>
internal static class GrainHosting
{
    /// <summary>Name of the one state store.</summary>
    public const string StateName = "Default";

    public static void Add(IServiceCollection services)
    {
        services.AddGrainHost(host => host
            .AddGrains(typeof(WorkerPlacement).Assembly)
            .AddPlacementDirector<WorkerPlacement, WorkerPlacementDirector>()
            .AddPlacementDirector<SequencePlacement, SequencePlacementDirector>()
            .AddState(StateName, provider => new FileStateStore(
                Path.Combine(provider.GetRequiredService<IOptions<StoreOptions>>().Value.Directory, "state"))));
        services.AddOptions<GrainHostOptions>().Configure<IOptions<SiloOptions>>((host, silo) => host.SiloName = silo.Value.Name);
    }
}
