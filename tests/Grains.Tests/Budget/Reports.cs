using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Tests.Budget;

/// <summary>Reports of made-up workers: 1 GiB each, 256 KiB a column.</summary>
internal static class Reports
{
    public static WorkerLoad Load(string worker, long epoch = 1, long committedBytes = 0, int queued = 0, bool accepting = true) => new()
    {
        Worker = worker,
        Model = "demo",
        Epoch = epoch,
        Accepting = accepting,
        BudgetBytes = 1 << 30,
        TranscodeReserveBytes = 16 << 20,
        CommittedBytes = committedBytes,
        UsedBytes = committedBytes,
        Running = 1,
        Queued = queued,
        QueueLimit = 4,
        ContextLength = 8192,
        FloorBytesPerColumn = 256 << 10,
    };

    public static WorkerReport Full(WorkerLoad load, long sequence, params string[] sessions) => new()
    {
        Load = load,
        Sequence = sequence,
        Full = true,
        Sessions = [.. sessions.Select(Session)],
    };

    public static WorkerReport Change(WorkerLoad load, long sequence, string[] sessions, params string[] gone) => new()
    {
        Load = load,
        Sequence = sequence,
        Full = false,
        Sessions = [.. sessions.Select(Session)],
        Gone = gone,
    };

    public static RouteRequest Route(string key = "t/s", int promptTokens = 100, int? maxNewTokens = null, params ulong[] prefix) =>
        new() { TenantId = "t", SequenceKey = key, PromptTokens = promptTokens, MaxNewTokens = maxNewTokens, PrefixHashes = prefix };

    private static SessionReport Session(string key) => new(key, 64, 1 << 18, "f16", false);
}
