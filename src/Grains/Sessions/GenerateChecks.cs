using Concertina.Contracts.Sessions;
using Concertina.Grains.Workers;

namespace Concertina.Grains.Sessions;

/// <summary>What a session refuses before its engine is asked.</summary>
internal static class GenerateChecks
{
    private const int RetryLoadingMs = 1000;
    private const int RetryBusyMs = 250;
    private const int RetryRoutedMs = 50;

    public static Refusal? Refuse(SequenceKey key, GenerateRequest request, int[]? staged, LocalWorker worker)
    {
        if (key.TenantId != request.TenantId)
        {
            return Invalid($"The session belongs to tenant '{key.TenantId}', the request to '{request.TenantId}'.");
        }
        if (worker.Served is not { } served)
        {
            return Retry(RefusalReason.ModelLoading, $"The model '{worker.Model}' is still loading; retry in a moment.", RetryLoadingMs);
        }
        if (request.Model != served.Facts.Name)
        {
            return Invalid($"This worker serves '{served.Facts.Name}', not '{request.Model}'.");
        }
        if (request.RouteEpoch != 0 && WorkerEpoch.Life(request.RouteEpoch) < WorkerEpoch.Life(worker.Epoch))
        {
            return Retry(RefusalReason.StaleRoute, $"The request was routed in epoch {request.RouteEpoch}, the worker is in {worker.Epoch}; route it again.", RetryRoutedMs);
        }
        int tokens = staged?.Length ?? (request.Prompt.Length / sizeof(int));
        return tokens == request.PromptTokens && request.Prompt.Length % sizeof(int) == 0
            ? null
            : Invalid($"The request names {request.PromptTokens:N0} prompt tokens, {tokens:N0} arrived; a staged prompt is kept for {PromptStaging.KeptFor.TotalSeconds:F0} s.");
    }

    public static Refusal Busy(string runningRequestId) => new()
    {
        Reason = RefusalReason.SessionBusy,
        Message = $"The session is running request '{runningRequestId}'; wait for its end, or cancel it.",
        RetryAfterMs = RetryBusyMs,
    };

    public static Refusal Deleted() => Retry(RefusalReason.Unavailable, "The session was deleted while the request began; send it again.", RetryBusyMs);

    private static Refusal Invalid(string message) => new() { Reason = RefusalReason.Invalid, Message = message };

    private static Refusal Retry(RefusalReason reason, string message, int retryAfterMs) =>
        new() { Reason = reason, Message = message, RetryAfterMs = retryAfterMs };
}
