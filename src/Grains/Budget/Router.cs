using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Workers;
using Concertina.Grains.Workers;

namespace Concertina.Grains.Budget;

/// <summary>
/// Chooses the worker of a request: the session's home, else the longest prefix of this tenant, else least pressure.
/// Decides on reports up to <see cref="WorkerTable.SilentAfter"/> old; the worker's own admission stays the authority.
/// </summary>
internal sealed class Router(WorkerTable workers)
{
    private const int RememberedColumns = 262_144;
    private const int RetryUnavailableMs = 1000;
    private const int RetryFullMs = 500;
    private readonly PrefixHomes _prefixes = new(RememberedColumns);

    public RouteAnswer Route(RouteRequest request)
    {
        IReadOnlyList<WorkerLoad> accepting = [.. workers.Loads().Where(load => load.Accepting)];
        if (accepting.Count == 0)
        {
            return Refused(RefusalReason.Unavailable, $"No worker takes requests now ({Explain()}); retry later.", RetryUnavailableMs);
        }
        IReadOnlyList<WorkerLoad> fitting = [.. accepting.Where(load => NeededBytes(request, load) <= AvailableBytes(load))];
        if (fitting.Count == 0)
        {
            return NeverFits(request, accepting);
        }
        IReadOnlyList<WorkerLoad> open = [.. fitting.Where(load => load.Queued < Math.Max(1, load.QueueLimit))];
        if (open.Count == 0)
        {
            return Refused(
                RefusalReason.QueueFull,
                $"The queue is full: {fitting.Sum(load => (long)load.Queued)} requests wait on {fitting.Count} worker(s), " +
                $"at most {fitting.Sum(load => (long)load.QueueLimit)} may. Retry later.",
                RetryFullMs);
        }
        WorkerLoad chosen = Home(request, open) ?? ByPrefix(request, open) ?? open.MinBy(Pressure)!;
        _prefixes.Add(request.PrefixHashes, chosen.Worker, chosen.Epoch);
        return new RouteAnswer(chosen.Worker, chosen.Silo, chosen.Epoch, null);
    }

    private WorkerLoad? Home(RouteRequest request, IReadOnlyList<WorkerLoad> open) =>
        workers.Home(request.SequenceKey) is { } home ? open.FirstOrDefault(load => load.Worker == home.Worker) : null;

    private WorkerLoad? ByPrefix(RouteRequest request, IReadOnlyList<WorkerLoad> open)
    {
        WorkerLoad? Find(string worker, long epoch) => open.FirstOrDefault(load => load.Worker == worker && WorkerEpoch.Life(load.Epoch) == WorkerEpoch.Life(epoch));
        return _prefixes.Longest(request.PrefixHashes, (worker, epoch) => Find(worker, epoch) is not null) is { } found
            ? open.First(load => load.Worker == found.Worker)
            : null;
    }

    // Requests that wait weigh more than bytes: they are the pressure that has already become delay.
    private static double Pressure(WorkerLoad load) =>
        ((double)load.CommittedBytes / Math.Max(1, AvailableBytes(load))) + load.Queued;

    // A lower bound of what the request needs at its floor: what exceeds even this can never fit.
    private static long NeededBytes(RouteRequest request, WorkerLoad load)
    {
        long tokens = Math.Min((long)request.PromptTokens + (request.MaxNewTokens ?? 1), Math.Max(load.ContextLength, request.PromptTokens + 1L));
        return (tokens + PrefixHash.ColumnTokens - 1) / PrefixHash.ColumnTokens * load.FloorBytesPerColumn;
    }

    private static long AvailableBytes(WorkerLoad load) => load.BudgetBytes - load.TranscodeReserveBytes;

    private static RouteAnswer NeverFits(RouteRequest request, IReadOnlyList<WorkerLoad> accepting)
    {
        WorkerLoad largest = accepting.MaxBy(AvailableBytes)!;
        long needed = NeededBytes(request, largest);
        return new RouteAnswer(null, null, 0, new Refusal
        {
            Reason = RefusalReason.NeverFits,
            Message = $"{request.PromptTokens:N0} prompt tokens and {request.MaxNewTokens ?? 1:N0} new ones need {needed:N0} bytes of KV cache; " +
                $"the largest worker can give {AvailableBytes(largest):N0}. Shorten the prompt, lower max_tokens, or raise KvCache:BudgetBytes.",
            NeededBytes = needed,
            AvailableBytes = AvailableBytes(largest),
        });
    }

    private string Explain()
    {
        IReadOnlyList<WorkerLoad> known = workers.Loads();
        int stalled = known.Count(load => load.StalledStage is not null);
        return $"{known.Count} known, {stalled} stalled, {known.Count - stalled} loading or draining";
    }

    private static RouteAnswer Refused(RefusalReason reason, string message, int retryAfterMs) =>
        new(null, null, 0, new Refusal { Reason = reason, Message = message, RetryAfterMs = retryAfterMs });
}
