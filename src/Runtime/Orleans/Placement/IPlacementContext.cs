namespace Orleans.Runtime.Placement;

/// <summary>What a director may know.</summary>
public interface IPlacementContext
{
    /// <summary>The silo that asks.</summary>
    SiloAddress LocalSilo { get; }

    /// <summary>Where that silo is in its life.</summary>
    SiloStatus LocalSiloStatus { get; }

    /// <summary>Silos that have the grain's class.</summary>
    SiloAddress[] GetCompatibleSilos(PlacementTarget target);
}
