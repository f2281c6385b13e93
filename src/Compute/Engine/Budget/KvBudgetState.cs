namespace Concertina.Compute.Engine;

/// <summary>How far a change of the KV budget is.</summary>
/// <param name="TargetBytes">What was asked for.</param>
/// <param name="ActualBytes">What the cache keeps within now; it only falls, until it is the target.</param>
/// <param name="Hold">What holds it up.</param>
/// <param name="PromisedBytes">What commitments need at least, in bytes; above what the target can promise, that is what holds it up.</param>
public readonly record struct KvBudgetState(long TargetBytes, long ActualBytes, KvBudgetHold Hold, long PromisedBytes)
{
    /// <summary>Least that may be asked for now, in bytes.</summary>
    public long LeastBytes { get; init; }

    /// <summary>Most that may be asked for: what the cache was made with, in bytes.</summary>
    public long MostBytes { get; init; }
}
