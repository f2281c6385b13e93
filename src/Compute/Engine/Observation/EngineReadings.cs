using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine;

/// <summary>Figures at the end of a step.</summary>
internal struct EngineReadings
{
    public long Steps;
    public long GeneratedTokens;
    public long PrefilledTokens;
    public long MemoryWaits;
    public long ReclaimedSequences;
    public long CommittedBytes;
    public long TranscodedUnits;
    public long TranscodeCharge;
    public long GuardedUnits;
    public long Reflexes;
    public long UndoBacklogTokens;
    public long UndoneSequences;
    public long UndoneTokens;
    public long AbandonedUndos;
    public int UndoBacklog;
    public int Running;
    public int IdleSequences;
    public KvBudgetState Budget;
    public long ReclaimedBytes;
    public long FloorViolations;
    public long Preemptions;
    public double SqueezeSeconds;
    public double Pressure;
    public RungBytes RungBytes;
    public KvCacheStatistics Kv;
}
