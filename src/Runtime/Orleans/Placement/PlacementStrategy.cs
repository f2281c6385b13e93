namespace Orleans.Runtime;

/// <summary>Names a way to choose the silo of a new activation; a director carries it out.</summary>
public abstract class PlacementStrategy;
