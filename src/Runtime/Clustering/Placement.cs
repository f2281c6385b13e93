using Concertina.Runtime.Calls;
using Concertina.Runtime.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Runtime.Clustering;

/// <summary>Asks the director of a grain class for the silo of a new activation.</summary>
internal sealed class Placement(Silo silo) : IPlacementContext
{
    public SiloAddress LocalSilo => silo.Address;

    public SiloStatus LocalSiloStatus => silo.Status;

    public SiloAddress[] GetCompatibleSilos(PlacementTarget target) => [.. silo.Directory.Silos];

    internal async ValueTask<SiloAddress> ChooseAsync(GrainClass grainClass, GrainCall call)
    {
        IPlacementDirector director = silo.Services.GetKeyedService<IPlacementDirector>(grainClass.Placement.GetType())
            ?? throw new OrleansConfigurationException(
                $"{grainClass.Type} is placed by {grainClass.Placement.GetType()}, which has no director. Add one with AddPlacementDirector.");
        PlacementTarget target = new(call.Target, call.Context, call.Method.Owner.WireType, 0);
        SiloAddress chosen = await director.OnAddActivation(grainClass.Placement, target, this);
        return silo.Directory.Silos.Contains(chosen)
            ? chosen
            : throw new OrleansConfigurationException($"{director.GetType()} placed {call.Target} on {chosen}, which is not a silo of this cluster.");
    }
}
