using Orleans.Placement;

namespace Concertina.Grains.Workers;

/// <summary>Places a grain by <see cref="WorkerPlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class WorkerPlacementAttribute() : PlacementAttribute(new WorkerPlacement());
