using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Silo.Placement;

/// <summary>A worker lives on the silo its key names. One silo exists so far: another name is an error, not a guess.</summary>
internal sealed class WorkerPlacementDirector(ILocalSiloDetails silo) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        string key = target.GrainIdentity.Key.ToString()!;
        return key.StartsWith(silo.Name + "/", StringComparison.Ordinal)
            ? Task.FromResult(context.LocalSilo)
            : throw new OrleansException($"Worker '{key}' names a silo that is not here; this one is '{silo.Name}'.");
    }
}
