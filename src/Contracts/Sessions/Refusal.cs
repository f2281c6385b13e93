using Orleans;

namespace Concertina.Contracts.Sessions;

/// <summary>A request that was not admitted: an expected outcome, with numbers, never an exception.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.refusal")]
public sealed record Refusal
{
    /// <summary>Which rule refused.</summary>
    [Id(0)] public required RefusalReason Reason { get; init; }

    /// <summary>What failed, the values with units, what to do; fit for the client.</summary>
    [Id(1)] public required string Message { get; init; }

    /// <summary>How long to wait before trying again, in milliseconds; null: trying again will not help.</summary>
    [Id(2)] public int? RetryAfterMs { get; init; }

    /// <summary>Bytes the request needs at its floor, where bytes decided.</summary>
    [Id(3)] public long? NeededBytes { get; init; }

    /// <summary>Bytes the budget could ever give, where bytes decided.</summary>
    [Id(4)] public long? AvailableBytes { get; init; }

    /// <summary>What of the request was refused, where one member decided: <c>kv.floor</c> or <c>kv.max_ratio</c>; else null.</summary>
    [Id(5)] public string? Param { get; init; }
}
