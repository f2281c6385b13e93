namespace Orleans.Runtime.Placement;

/// <summary>Chooses the silo of a new activation. Runs on the silo that needs the address; never calls grains.</summary>
public interface IPlacementDirector
{
    /// <summary>Key of the request context under which a caller may name a silo.</summary>
    const string PlacementHintKey = nameof(PlacementHintKey);

    /// <summary>The silo for a new activation: one of the compatible ones.</summary>
    Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context);

    /// <summary>The silo the caller named, if it is compatible; else null.</summary>
    static SiloAddress? GetPlacementHint(Dictionary<string, object>? requestContextData, SiloAddress[] compatibleSilos) =>
        requestContextData is not null
        && requestContextData.TryGetValue(PlacementHintKey, out object? value)
        && value is SiloAddress hint
        && Array.IndexOf(compatibleSilos, hint) >= 0
            ? hint
            : null;
}
