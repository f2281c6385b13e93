using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Workers;

/// <summary>What an operator sees of a worker, made of what its engine says.</summary>
internal static class WorkerView
{
    private const string EphemeralMark = "/~";

    /// <param name="load">Load of the worker.</param>
    /// <param name="engine">Its engine; null while the model loads.</param>
    /// <param name="disk">What its sessions take on disk.</param>
    public static WorkerMemory Memory(WorkerLoad load, IInferenceEngine? engine, DiskUse disk)
    {
        if (engine is null)
        {
            return new WorkerMemory { Load = load };
        }
        EngineSnapshot state = engine.Snapshot;
        IReadOnlyList<SequenceSnapshot> held = engine.Sequences();
        return new WorkerMemory
        {
            Load = load,
            Rungs = Rungs(engine, state, held),
            Budget = Budget(state.Budget, refusal: null),
            Pressure = state.Pressure,
            FragmentedBytes = state.Kv.FragmentedBytes,
            PrefixBytes = state.Kv.PrefixBytes,
            ReclaimableBytes = state.Kv.UnreferencedPrefixBytes,
            UndoBacklog = state.UndoBacklog,
            UndoBacklogTokens = state.UndoBacklogTokens,
            Idle = state.IdleSequences,
            GeneratedTokens = state.GeneratedTokens,
            PrefilledTokens = state.PrefilledTokens,
            TranscodedUnits = state.TranscodedUnits,
            ReclaimedBytes = state.ReclaimedBytes,
            Refused = state.Refused.Sum(),
            FloorViolations = state.FloorViolations,
            PromisableBytes = state.PromisableBytes,
            HighWatermark = state.HighWatermark,
            LowWatermark = state.LowWatermark,
            SessionBytes = held.Sum(session => session.KvBytes),
            LosslessBytes = held.Sum(session => session.LosslessBytes),
            MemorySessions = held.Count,
            DiskBytes = disk.Bytes,
            DiskSessions = disk.Sessions,
            SpilledSessions = state.SpilledSequences,
            RestoredSessions = state.RestoredSequences,
            SpillReserveBytes = state.SpillReserveBytes,
        };
    }

    public static BudgetChange Budget(in KvBudgetState state, string? refusal) => new()
    {
        Refusal = refusal,
        TargetBytes = state.TargetBytes,
        ActualBytes = state.ActualBytes,
        Hold = state.Hold.ToString(),
        PromisedBytes = state.PromisedBytes,
        LeastBytes = state.LeastBytes,
        MostBytes = state.MostBytes,
    };

    /// <summary>Sessions in memory and those that rest on disk, each once.</summary>
    /// <param name="query">Which of them.</param>
    /// <param name="held">Sessions in memory.</param>
    /// <param name="onDisk">Gives sessions that have files: what their keys begin with, the key they come after, how many at most.</param>
    public static SessionPage Sessions(
        SessionQuery query, IReadOnlyList<SequenceSnapshot> held, Func<string, string?, int, IReadOnlyList<RestingSession>> onDisk)
    {
        int limit = Math.Clamp(query.Limit, 1, SessionPage.MostSessions);
        Dictionary<string, SequenceSnapshot> inMemory = held.ToDictionary(session => session.Key);
        // One more than a page: whatever is on the page and has files is among them.
        Dictionary<string, RestingSession> files = onDisk(query.TenantId is { } tenant ? $"{tenant}/" : "", query.After, limit + 1)
            .ToDictionary(session => session.Key);
        string[] next =
        [
            .. inMemory.Keys.Union(files.Keys).Where(key => IsAsked(key, query)).Order(StringComparer.Ordinal).Take(limit + 1),
        ];
        IEnumerable<HeldSession> sessions =
            from key in next.Take(limit)
            let bytes = files.GetValueOrDefault(key).Bytes
            select inMemory.TryGetValue(key, out SequenceSnapshot session) ? Session(session) with { DiskBytes = bytes } : Resting(key, bytes);
        return new SessionPage([.. sessions], next.Length > limit);
    }

    private static bool IsAsked(string key, SessionQuery query) =>
        (query.After is null || string.CompareOrdinal(key, query.After) > 0)
        && (query.TenantId is not { } tenant
            || (key.StartsWith($"{tenant}/", StringComparison.Ordinal) && !key.Contains(EphemeralMark, StringComparison.Ordinal)));

    private static HeldSession Session(SequenceSnapshot session) => new()
    {
        SequenceKey = session.Key,
        Running = session.Running,
        Tokens = session.WarmTokens,
        Bytes = session.KvBytes,
        LosslessBytes = session.LosslessBytes,
        Exact = session.Exact,
        Rung = session.Rung,
        Target = session.Target,
        Floor = session.Floor,
    };

    private static HeldSession Resting(string key, long diskBytes) => new()
    {
        SequenceKey = key,
        Running = false,
        Tokens = 0,
        Bytes = 0,
        LosslessBytes = 0,
        Exact = false,
        Rung = "",
        Target = "",
        Floor = "",
        DiskBytes = diskBytes,
        Resting = true,
    };

    private static RungMemory[] Rungs(IInferenceEngine engine, EngineSnapshot state, IReadOnlyList<SequenceSnapshot> held)
    {
        Dictionary<string, int> on = held.CountBy(session => session.Rung).ToDictionary();
        Dictionary<string, int> planned = held.CountBy(session => session.Target).ToDictionary();
        return
        [
            .. engine.Ladder.Select((rung, index) => new RungMemory(
                rung.Name, state.BytesByRung[index], on.GetValueOrDefault(rung.Name), planned.GetValueOrDefault(rung.Name))),
        ];
    }
}
