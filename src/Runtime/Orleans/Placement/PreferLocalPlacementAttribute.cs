using Orleans.Runtime;

namespace Orleans.Placement;

/// <summary>Places new activations on the silo of the first caller.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PreferLocalPlacementAttribute() : PlacementAttribute(new PreferLocalPlacement());
