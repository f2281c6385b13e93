using Orleans.Placement;

namespace Concertina.Grains.Sessions;

/// <summary>Places a grain by <see cref="SequencePlacement"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SequencePlacementAttribute() : PlacementAttribute(new SequencePlacement());
