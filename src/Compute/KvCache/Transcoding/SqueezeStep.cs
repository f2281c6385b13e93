namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>What one step of squeezing did.</summary>
/// <param name="Outcome">Whether something moved, nothing is left, or no bytes could be had.</param>
/// <param name="Charge">Work done: source bytes times the weight of encoding them.</param>
internal readonly record struct SqueezeStep(SqueezeOutcome Outcome, long Charge = 0);

/// <summary>Outcome of one step of squeezing.</summary>
internal enum SqueezeOutcome
{
    /// <summary>One unit was moved, or many were passed over.</summary>
    Worked,

    /// <summary>The table is where its rung wants it.</summary>
    Done,

    /// <summary>No bytes for a copy; try again when some came free.</summary>
    NoRoom,

    /// <summary>Units are where they should be; slots are evicted when another table's eviction is done.</summary>
    Behind,
}
