using Orleans.Runtime;

namespace Concertina.Grains.Workers;

/// <summary>Places a worker on the silo its key names.</summary>
public sealed class WorkerPlacement : PlacementStrategy;
