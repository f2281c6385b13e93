using Orleans.Runtime;

namespace Concertina.Runtime.Clustering;

/// <summary>Driver of membership and directory: which silos live, and which silo each grain is on.</summary>
internal interface IClusterDirectory
{
    /// <summary>The silos that take activations.</summary>
    IReadOnlyList<SiloAddress> Silos { get; }

    /// <summary>Where a grain is; null when it is nowhere.</summary>
    ValueTask<SiloAddress?> LookupAsync(GrainId grainId);

    /// <summary>Puts a grain on a silo unless it is on one already.</summary>
    /// <returns>The silo the grain is on after the call.</returns>
    ValueTask<SiloAddress> RegisterAsync(GrainId grainId, SiloAddress silo);

    /// <summary>Removes a grain from a silo; nothing happens when it is on another one.</summary>
    ValueTask UnregisterAsync(GrainId grainId, SiloAddress silo);
}
