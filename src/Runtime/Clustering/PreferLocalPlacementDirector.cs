using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Runtime.Clustering;

/// <summary>Places a grain where its first caller is, unless the caller names a silo.</summary>
internal sealed class PreferLocalPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        return Task.FromResult(IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) ?? context.LocalSilo);
    }
}
