using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>A worker's KV budget: what was asked for, what holds, and why the two differ.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.budget-change")]
public sealed record BudgetChange
{
    /// <summary>Why the last request was refused, with the bytes; null: it was taken.</summary>
    [Id(0)] public string? Refusal { get; init; }

    /// <summary>Bytes that were asked for last.</summary>
    [Id(1)] public required long TargetBytes { get; init; }

    /// <summary>Bytes the cache keeps within now.</summary>
    [Id(2)] public required long ActualBytes { get; init; }

    /// <summary>What holds it up: <c>None</c>, <c>Commitments</c> or <c>Squeezing</c>.</summary>
    [Id(3)] public required string Hold { get; init; }

    /// <summary>What commitments need at least.</summary>
    [Id(4)] public long PromisedBytes { get; init; }

    /// <summary>Least that may be asked for.</summary>
    [Id(5)] public long LeastBytes { get; init; }

    /// <summary>Most that may be asked for.</summary>
    [Id(6)] public long MostBytes { get; init; }
}
