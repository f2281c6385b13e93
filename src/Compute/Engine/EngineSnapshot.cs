using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine;

/// <summary>State of an engine at the end of its last step; readable from any thread.</summary>
public sealed record EngineSnapshot
{
    /// <summary>Steps run since start.</summary>
    public required long Steps { get; init; }

    /// <summary>Tokens sampled since start.</summary>
    public required long GeneratedTokens { get; init; }

    /// <summary>Prompt tokens computed since start.</summary>
    public required long PrefilledTokens { get; init; }

    /// <summary>Running sequences.</summary>
    public required int Running { get; init; }

    /// <summary>Requests waiting for admission.</summary>
    public required int Queued { get; init; }

    /// <summary>Open handles without a running generation that hold units.</summary>
    public required int IdleSequences { get; init; }

    /// <summary>Sum of commitments.</summary>
    public required long CommittedBytes { get; init; }

    /// <summary>Requests refused since start, by kind (index = <see cref="RefusalKind"/>).</summary>
    public required IReadOnlyList<long> Refused { get; init; }

    /// <summary>Steps in which some sequence waited in place for memory.</summary>
    public required long MemoryWaits { get; init; }

    /// <summary>The KV budget that was asked for, the one that holds, and what holds the change up.</summary>
    public KvBudgetState Budget { get; init; }

    /// <summary>Bytes of units that are not reclaimable at once, by what may be promised: what the watermarks look at.</summary>
    public double Pressure { get; init; }

    /// <summary>What commitments of new requests may add up to.</summary>
    public long PromisableBytes { get; init; }

    /// <summary><see cref="EngineOptions.HighWatermark"/>, a share of <see cref="PromisableBytes"/>.</summary>
    public double HighWatermark { get; init; }

    /// <summary><see cref="EngineOptions.LowWatermark"/>, a share of <see cref="PromisableBytes"/>.</summary>
    public double LowWatermark { get; init; }

    /// <summary>Bytes of units in the form of each rung; rungs that differ in eviction alone count at the first.</summary>
    public IReadOnlyList<long> BytesByRung { get; init; } = [];

    /// <summary>Bytes that squeezing set free since start.</summary>
    public long ReclaimedBytes { get; init; }

    /// <summary>Generations whose cache was found deeper than they allow, since start; always 0 unless there is a bug.</summary>
    public long FloorViolations { get; init; }

    /// <summary>Times a running sequence lost units and computed them again; always 0 unless there is a bug.</summary>
    public long Preemptions { get; init; }

    /// <summary>Times the engine stalled since start.</summary>
    public long Stalls { get; init; }

    /// <summary>The KV cache.</summary>
    public required KvCacheStatistics Kv { get; init; }

    /// <summary>True after <see cref="InferenceEngine.Drain"/>.</summary>
    public required bool Draining { get; init; }

    /// <summary>The stage that stalled, or null.</summary>
    public required string? StalledStage { get; init; }

    /// <summary>What made the engine fail for good (it then refuses everything), or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Units stored anew at a deeper rung since start.</summary>
    public long TranscodedUnits { get; init; }

    /// <summary>Units kept in a finer form since start, because their rung would have lost too much of them.</summary>
    public long GuardedUnits { get; init; }

    /// <summary>Times memory pressure made the engine squeeze live sequences since start; each outdates plans made elsewhere before.</summary>
    public long Reflexes { get; init; }

    /// <summary>Sequences that wait to get a better rung back, or are being computed anew.</summary>
    public int UndoBacklog { get; init; }

    /// <summary>Tokens that are still to be computed for them.</summary>
    public long UndoBacklogTokens { get; init; }

    /// <summary>Sequences that got a better rung back since start.</summary>
    public long UndoneSequences { get; init; }

    /// <summary>Tokens computed anew for that since start, those of abandoned undos included.</summary>
    public long UndoneTokens { get; init; }

    /// <summary>Undos given up since start because memory was needed or the assignment changed; their sequences stayed as they were.</summary>
    public long AbandonedUndos { get; init; }

    /// <summary>Idle sequences whose page file was made since start.</summary>
    public long SpilledSequences { get; init; }

    /// <summary>Sequences that went on from their page file since start.</summary>
    public long RestoredSequences { get; init; }

    /// <summary>Bytes of the KV budget that copies on their way to page files and back are paid from, fixed at start.</summary>
    public long SpillReserveBytes { get; init; }

    /// <summary>Bytes of such copies now.</summary>
    public long SpillBufferedBytes { get; init; }

    /// <summary>Idle sequences whose units were taken back for running ones since start.</summary>
    public long ReclaimedSequences { get; init; }
}
