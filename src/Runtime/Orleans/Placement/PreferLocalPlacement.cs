namespace Orleans.Runtime;

/// <summary>The silo of the first caller.</summary>
public sealed class PreferLocalPlacement : PlacementStrategy;
