namespace Concertina.Grains.Workers;

/// <summary>
/// A worker's epoch: its life in the upper half, which a restart raises, and what it did by itself since in the lower half. Plans
/// are refused when either is older; routes and prefixes live as long as the life.
/// </summary>
internal static class WorkerEpoch
{
    private const int LocalBits = 32;

    /// <summary>The first epoch of a life.</summary>
    public static long First(long life) => life << LocalBits;

    /// <summary>The life of an epoch.</summary>
    public static long Life(long epoch) => epoch >> LocalBits;
}
