using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Silo.Placement;

/// <summary>A sequence lives where routing sent it; without a hint on the first caller's silo.</summary>
internal sealed class SequencePlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        SiloAddress[] silos = context.GetCompatibleSilos(target);
        return Task.FromResult(IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) ?? context.LocalSilo);
    }
}
