namespace Concertina.Compute.Engine;

/// <summary>A request the engine did not take: an expected outcome with its numbers.</summary>
/// <param name="Kind">Which rule refused.</param>
/// <param name="Message">What failed, the values with units, what to do.</param>
/// <param name="RetryAfterMs">Estimated wait until a retry can pass; null: never.</param>
/// <param name="NeededBytes">Bytes the request needs, where bytes decided.</param>
/// <param name="AvailableBytes">Bytes the budget could ever give, where bytes decided.</param>
public sealed record EngineRefusal(
    RefusalKind Kind, string Message, int? RetryAfterMs = null, long? NeededBytes = null, long? AvailableBytes = null)
{
    /// <summary>What of the request was refused, where one member decided: <c>kv.floor</c> or <c>kv.max_ratio</c>; else null.</summary>
    public string? Param { get; init; }
}
