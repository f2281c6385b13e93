using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>Load and KV memory of one worker at one moment. All bytes are physical.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.worker-load")]
public sealed record WorkerLoad
{
    /// <summary>The worker's grain key.</summary>
    [Id(0)] public required string Worker { get; init; }

    /// <summary>Served model name.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>Epoch of the worker; a restart or a local reflex raises it.</summary>
    [Id(2)] public required long Epoch { get; init; }

    /// <summary>False while draining, loading or stalled.</summary>
    [Id(3)] public required bool Accepting { get; init; }

    /// <summary>KV budget.</summary>
    [Id(4)] public required long BudgetBytes { get; init; }

    /// <summary>Reserve for transcoding, part of the budget, promised to nobody.</summary>
    [Id(5)] public required long TranscodeReserveBytes { get; init; }

    /// <summary>Sum of the commitments of running sequences.</summary>
    [Id(6)] public required long CommittedBytes { get; init; }

    /// <summary>Bytes in use, tables included.</summary>
    [Id(7)] public required long UsedBytes { get; init; }

    /// <summary>Running sequences.</summary>
    [Id(8)] public required int Running { get; init; }

    /// <summary>Requests that wait for admission.</summary>
    [Id(9)] public required int Queued { get; init; }

    /// <summary>Bound of the queue.</summary>
    [Id(10)] public required int QueueLimit { get; init; }

    /// <summary>Longest context served, in tokens.</summary>
    [Id(11)] public required int ContextLength { get; init; }

    /// <summary>KV bytes per column of 64 tokens at the deepest rung; with it a router can tell what never fits.</summary>
    [Id(12)] public required long FloorBytesPerColumn { get; init; }

    /// <summary>The stage the engine stalled in, or null.</summary>
    [Id(13)] public string? StalledStage { get; init; }

    /// <summary>Address of the worker's silo in its parsable form, as a placement hint; null when it is not known.</summary>
    [Id(14)] public string? Silo { get; init; }
}
