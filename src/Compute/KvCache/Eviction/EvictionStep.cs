namespace Concertina.Compute.KvCache.Eviction;

/// <summary>What one step of eviction did.</summary>
/// <param name="Outcome">Whether something was done, and if not, why.</param>
/// <param name="Charge">Bytes read or moved.</param>
internal readonly record struct EvictionStep(EvictionOutcome Outcome, long Charge = 0);

/// <summary>Outcome of one step of eviction.</summary>
internal enum EvictionOutcome
{
    /// <summary>A slice was done; there may be more.</summary>
    Worked,

    /// <summary>The table keeps what its rung allows.</summary>
    Done,

    /// <summary>The observed queries are not complete yet: try when the table has grown.</summary>
    Waits,

    /// <summary>Another table's eviction is under way: try after it.</summary>
    Behind,

    /// <summary>No bytes for the ring, the job or a copy; try again when some came free.</summary>
    NoRoom,
}
