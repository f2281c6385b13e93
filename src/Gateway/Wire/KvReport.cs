using System.Text.Json.Serialization;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Wire.Admin;

namespace Concertina.Gateway.Wire;

/// <summary>KV memory of all workers, as <c>GET /admin/kv</c> shows it.</summary>
/// <param name="Data">By model, then by worker.</param>
internal sealed record KvReport(KvReport.Worker[] Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    public static KvReport Of(IEnumerable<WorkerMemory> memories) => new([.. memories.Select(Of)]);

    private static Worker Of(WorkerMemory memory)
    {
        WorkerLoad load = memory.Load;
        return new Worker(load.Worker, load.Model, load.Epoch, load.Accepting, load.StalledStage)
        {
            BudgetBytes = load.BudgetBytes,
            TargetBytes = memory.Budget?.TargetBytes ?? 0,
            BudgetHold = BudgetList.Budget.HoldOf(memory.Budget),
            PromisableBytes = memory.PromisableBytes,
            CommittedBytes = load.CommittedBytes,
            UsedBytes = load.UsedBytes,
            FragmentedBytes = memory.FragmentedBytes,
            PrefixBytes = memory.PrefixBytes,
            ReclaimableBytes = memory.ReclaimableBytes,
            SessionBytes = memory.SessionBytes,
            LosslessBytes = memory.LosslessBytes,
            Pressure = memory.Budget is null ? null : memory.Pressure,
            HighWatermark = memory.HighWatermark,
            LowWatermark = memory.LowWatermark,
            Tiers = [new TierUse("memory", load.UsedBytes, memory.MemorySessions), new TierUse("disk", memory.DiskBytes, memory.DiskSessions)],
            SpillReserveBytes = memory.SpillReserveBytes,
            Rungs = [.. memory.Rungs.Select(rung => new RungUse(rung.Rung, rung.Bytes, rung.Sessions, rung.Planned))],
            UndoBacklog = memory.UndoBacklog,
            UndoBacklogTokens = memory.UndoBacklogTokens,
            Running = load.Running,
            Idle = memory.Idle,
            Queued = load.Queued,
            QueueLimit = load.QueueLimit,
            Totals = new Sums(
                memory.GeneratedTokens, memory.PrefilledTokens, memory.TranscodedUnits, memory.ReclaimedBytes, memory.Refused, memory.FloorViolations,
                memory.SpilledSessions, memory.RestoredSessions),
        };
    }

    /// <summary>One worker. All bytes are physical; its budget is 0 while it loads.</summary>
    /// <param name="Id">Worker's key.</param>
    /// <param name="Model">Model it serves.</param>
    /// <param name="Epoch">Plans of older epochs are refused.</param>
    /// <param name="Accepting">False while it loads, drains or has stalled.</param>
    /// <param name="StalledStage">Stage in which it stalled; null: it has not.</param>
    internal sealed record Worker(string Id, string Model, long Epoch, bool Accepting, string? StalledStage)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "kv.worker";

        /// <summary>What it keeps within now.</summary>
        public required long BudgetBytes { get; init; }

        /// <summary>What it was told to keep within.</summary>
        public required long TargetBytes { get; init; }

        /// <summary>Why the two differ: <c>commitments</c> or <c>squeezing</c>; null: they do not.</summary>
        public required string? BudgetHold { get; init; }

        /// <summary>Of the budget, what commitments may add up to.</summary>
        public required long PromisableBytes { get; init; }

        /// <summary>Promised to running sequences.</summary>
        public required long CommittedBytes { get; init; }

        /// <summary>In use.</summary>
        public required long UsedBytes { get; init; }

        /// <summary>Room of extents in use that holds nothing.</summary>
        public required long FragmentedBytes { get; init; }

        /// <summary>Of the used bytes, those of prefix columns.</summary>
        public required long PrefixBytes { get; init; }

        /// <summary>Of those, bytes that no session refers to; they make way at once.</summary>
        public required long ReclaimableBytes { get; init; }

        /// <summary>What the tables of all sessions refer to.</summary>
        public required long SessionBytes { get; init; }

        /// <summary>What that would take on the lossless rung.</summary>
        public required long LosslessBytes { get; init; }

        /// <summary>Bytes that are not reclaimable at once, by the promisable ones; null while it loads.</summary>
        public required double? Pressure { get; init; }

        /// <summary>Pressure above which live sessions are squeezed.</summary>
        public required double HighWatermark { get; init; }

        /// <summary>Pressure that squeezing then aims at.</summary>
        public required double LowWatermark { get; init; }

        /// <summary>KV by where it is.</summary>
        public required TierUse[] Tiers { get; init; }

        /// <summary>Of the budget, what copies on their way to page files and back are paid from.</summary>
        public required long SpillReserveBytes { get; init; }

        /// <summary>By rung, lossless first.</summary>
        public required RungUse[] Rungs { get; init; }

        /// <summary>Sessions that are to get a better rung back.</summary>
        public required int UndoBacklog { get; init; }

        /// <summary>Tokens to compute for them.</summary>
        public required long UndoBacklogTokens { get; init; }

        /// <summary>Running sequences.</summary>
        public required int Running { get; init; }

        /// <summary>Sessions with KV in memory that do not run.</summary>
        public required int Idle { get; init; }

        /// <summary>Requests that wait.</summary>
        public required int Queued { get; init; }

        /// <summary>Most requests that may wait.</summary>
        public required int QueueLimit { get; init; }

        /// <summary>Since the engine started.</summary>
        public required Sums Totals { get; init; }
    }

    /// <summary>One rung: bytes in its form, sessions there, and sessions that are there or on their way.</summary>
    internal sealed record RungUse(string Rung, long Bytes, int Sessions, int Planned);

    /// <summary>One tier, <c>memory</c> or <c>disk</c>: bytes of KV there, and sessions that have some.</summary>
    internal sealed record TierUse(string Tier, long Bytes, int Sessions);

    /// <summary>Counts that only rise.</summary>
    internal sealed record Sums(
        long GeneratedTokens, long PrefilledTokens, long TranscodedUnits, long ReclaimedBytes, long Refused, long FloorViolations,
        long SpilledSessions, long RestoredSessions);
}
