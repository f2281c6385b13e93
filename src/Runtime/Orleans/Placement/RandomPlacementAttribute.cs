using Orleans.Runtime;

namespace Orleans.Placement;

/// <summary>Places new activations on any silo.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class RandomPlacementAttribute() : PlacementAttribute(new RandomPlacement());
