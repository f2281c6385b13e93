namespace Concertina.Compute.Bench;

/// <summary>How many sessions of one length a cache held on one rung when it was full.</summary>
public sealed record CapacityResult
{
    /// <summary>Name of the rung.</summary>
    public required string Rung { get; init; }

    /// <summary>Sessions it held.</summary>
    public required int Sessions { get; init; }

    /// <summary>Sessions that can be promised: committable bytes of the cache by <see cref="FormulaBytes"/>.</summary>
    public required int FormulaSessions { get; init; }

    /// <summary>Bytes of one session as counted: what filling added to the bytes in use, by the number of sessions.</summary>
    public required long BytesPerSession { get; init; }

    /// <summary>Bytes of one session at rest as the cache's formula says, rounding to extents included, and on a rung that evicts what waits for the next eviction.</summary>
    public required long FormulaBytes { get; init; }

    /// <summary>The formula at the length where most columns are exact: what the ladder and <c>inspect</c> show.</summary>
    public required long SettledBytes { get; init; }

    /// <summary>Bytes in use when full, tables and scratch included.</summary>
    public required long UsedBytes { get; init; }

    /// <summary>Bytes of extents in use that held no unit when full.</summary>
    public required long FragmentedBytes { get; init; }

    /// <summary>Budget.</summary>
    public required long BudgetBytes { get; init; }
}
