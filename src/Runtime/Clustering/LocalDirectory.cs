using Orleans.Runtime;

namespace Concertina.Runtime.Clustering;

/// <summary>The directory of a cluster of one silo: every grain is here, and the catalog knows which are active.</summary>
internal sealed class LocalDirectory(SiloAddress silo) : IClusterDirectory
{
    public IReadOnlyList<SiloAddress> Silos { get; } = [silo];

    public ValueTask<SiloAddress?> LookupAsync(GrainId grainId) => new(Silos[0]);

    public ValueTask<SiloAddress> RegisterAsync(GrainId grainId, SiloAddress silo) => new(Silos[0]);

    public ValueTask UnregisterAsync(GrainId grainId, SiloAddress silo) => default;
}
