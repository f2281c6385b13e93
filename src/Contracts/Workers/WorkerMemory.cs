using Orleans;

namespace Concertina.Contracts.Workers;

/// <summary>KV memory of one worker in full; <see cref="WorkerLoad"/> is what routing needs of it. All bytes are physical.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.worker-memory")]
public sealed record WorkerMemory
{
    /// <summary>Load now.</summary>
    [Id(0)] public required WorkerLoad Load { get; init; }

    /// <summary>By rung, lossless first; empty while the model loads.</summary>
    [Id(1)] public RungMemory[] Rungs { get; init; } = [];

    /// <summary>The budget that was asked for last, and how far it is.</summary>
    [Id(2)] public BudgetChange? Budget { get; init; }

    /// <summary>Bytes that are not reclaimable at once, by what may be promised: what the watermarks look at.</summary>
    [Id(3)] public double Pressure { get; init; }

    /// <summary>Bytes of extents in use that hold no unit.</summary>
    [Id(4)] public long FragmentedBytes { get; init; }

    /// <summary>Bytes of prefix columns.</summary>
    [Id(5)] public long PrefixBytes { get; init; }

    /// <summary>Sessions that wait to get a better rung back, or are being computed anew.</summary>
    [Id(6)] public int UndoBacklog { get; init; }

    /// <summary>Tokens to compute for them.</summary>
    [Id(7)] public long UndoBacklogTokens { get; init; }

    /// <summary>Sessions that hold units and do not run.</summary>
    [Id(8)] public int Idle { get; init; }

    /// <summary>Tokens sampled since the engine started.</summary>
    [Id(9)] public long GeneratedTokens { get; init; }

    /// <summary>Prompt tokens computed since then.</summary>
    [Id(10)] public long PrefilledTokens { get; init; }

    /// <summary>Units moved to a deeper rung since then.</summary>
    [Id(11)] public long TranscodedUnits { get; init; }

    /// <summary>Bytes that squeezing set free since then.</summary>
    [Id(12)] public long ReclaimedBytes { get; init; }

    /// <summary>Requests refused since then.</summary>
    [Id(13)] public long Refused { get; init; }

    /// <summary>Generations found deeper than they allow since then; always 0 unless there is a bug.</summary>
    [Id(14)] public long FloorViolations { get; init; }

    /// <summary>Bytes that commitments may add up to, now.</summary>
    [Id(15)] public long PromisableBytes { get; init; }

    /// <summary>Share of the promisable bytes above which live sessions are squeezed.</summary>
    [Id(16)] public double HighWatermark { get; init; }

    /// <summary>Share that squeezing then aims at.</summary>
    [Id(17)] public double LowWatermark { get; init; }

    /// <summary>Bytes that the tables of all sessions refer to.</summary>
    [Id(18)] public long SessionBytes { get; init; }

    /// <summary>Bytes they would take on the lossless rung.</summary>
    [Id(19)] public long LosslessBytes { get; init; }

    /// <summary>Of the prefix columns' bytes, those no table refers to; reclaimable at once.</summary>
    [Id(20)] public long ReclaimableBytes { get; init; }

    /// <summary>Sessions with units in memory.</summary>
    [Id(21)] public int MemorySessions { get; init; }

    /// <summary>Bytes of units in page files.</summary>
    [Id(22)] public long DiskBytes { get; init; }

    /// <summary>Sessions with a page file.</summary>
    [Id(23)] public int DiskSessions { get; init; }

    /// <summary>Idle sessions whose page file was made since the engine started.</summary>
    [Id(24)] public long SpilledSessions { get; init; }

    /// <summary>Sessions that went on from their page file since then.</summary>
    [Id(25)] public long RestoredSessions { get; init; }

    /// <summary>Of the budget, bytes that copies on their way to page files and back are paid from.</summary>
    [Id(26)] public long SpillReserveBytes { get; init; }
}
