using Concertina.Compute.Engine;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Workers;

/// <summary>What an operator sees of a worker, made of what its engine says.</summary>
internal static class WorkerView
{
    private const string EphemeralMark = "/~";

    public static WorkerMemory Memory(WorkerLoad load, IInferenceEngine? engine)
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

    public static SessionPage Sessions(SessionQuery query, IReadOnlyList<SequenceSnapshot> held)
    {
        int limit = Math.Clamp(query.Limit, 1, SessionPage.MostSessions);
        SequenceSnapshot[] next =
        [
            .. held.Where(session => IsAsked(session.Key, query)).OrderBy(session => session.Key, StringComparer.Ordinal).Take(limit + 1),
        ];
        return new SessionPage([.. next.Take(limit).Select(Session)], next.Length > limit);
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
