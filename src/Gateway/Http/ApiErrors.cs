using System.Globalization;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Http;

/// <summary>The one table from what can go wrong to HTTP status, type and code (docs/api.md).</summary>
internal static class ApiErrors
{
    private const string InvalidRequest = "invalid_request_error";
    private const string Overloaded = "overloaded_error";

    public static ApiError BadJson(string where) =>
        new(400, InvalidRequest, "invalid_json", $"The body is not valid JSON ({where}).");

    public static ApiError Invalid(string param, string message) =>
        new(400, InvalidRequest, "invalid_value", message) { Param = param };

    public static ApiError Missing(string param) =>
        new(400, InvalidRequest, "missing_required_parameter", $"'{param}' is required.") { Param = param };

    public static ApiError ContextLength(int contextTokens, string detail) =>
        new(400, InvalidRequest, "context_length_exceeded", string.Create(CultureInfo.InvariantCulture,
            $"This model's maximum context length is {contextTokens} tokens. {detail}"))
        { Param = "messages" };

    public static ApiError InvalidKey(bool given) =>
        new(401, "authentication_error", "invalid_api_key", given
            ? "The API key is not known. Send a valid one as 'Authorization: Bearer <key>'."
            : "No API key was given. Send one as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'.");

    public static ApiError ModelNotAllowed(string model) =>
        new(403, "permission_error", "model_not_allowed", $"This API key may not use the model '{model}'.") { Param = "model" };

    public static ApiError ModelNotFound(string model) =>
        new(404, InvalidRequest, "model_not_found", $"The model '{model}' does not exist. GET /v1/models lists those that do.") { Param = "model" };

    public static ApiError SessionNotFound(string id) =>
        new(404, InvalidRequest, "session_not_found", $"The session '{id}' does not exist.");

    public static ApiError TenantNotFound(string id) =>
        new(404, InvalidRequest, "tenant_not_found", $"No tenant '{id}' is configured.");

    public static ApiError WorkerNotFound(string worker) =>
        new(404, InvalidRequest, "worker_not_found", $"There is no worker '{worker}'. GET /admin/kv lists those there are.") { Param = "worker" };

    public static ApiError BudgetOutOfRange(string worker, long bytes, BudgetChange budget) =>
        new(422, InvalidRequest, "unprocessable", string.Create(CultureInfo.InvariantCulture,
            $"A KV budget of {bytes} bytes is not possible for worker '{worker}': it must be from {budget.LeastBytes} (its tables, the transcode reserve and one column) to {budget.MostBytes} bytes (what it was started with)."))
        { Param = "bytes" };

    public static ApiError PathNotFound(string path) =>
        new(404, InvalidRequest, "path_not_found", $"There is nothing at '{path}'.");

    public static ApiError MethodNotAllowed(string method, string path) =>
        new(405, InvalidRequest, "method_not_allowed", $"'{path}' does not answer {method}.");

    public static ApiError TooLarge(int limitBytes) =>
        new(413, InvalidRequest, "request_too_large", string.Create(CultureInfo.InvariantCulture,
            $"The body is longer than {limitBytes} bytes. Send less, or raise Gateway:MaxBodyBytes."));

    public static ApiError NotSupported(string? param, string message) =>
        new(501, "not_supported_error", "not_supported", message) { Param = param, RetryHelps = false };

    public static ApiError Internal(string requestId) =>
        new(500, "server_error", "internal_error", $"An internal error ended the request; the log names it by x-request-id {requestId}.");

    /// <summary>
    /// A generation that failed: <paramref name="code"/> is stage and cause. Memory that did not come is overload, not a
    /// fault. What the engine says of it goes to the log alone; a code that clients do not know is an internal error.
    /// </summary>
    public static ApiError Failed(string? code, string requestId) => code switch
    {
        "memory/wait-expired" => new(503, Overloaded, code, "Memory for the answer did not come free in time. Retry later, or set a token limit.") { RetryAfterMs = 1_000 },
        "memory/budget-exhausted" => new(503, Overloaded, code, "The answer has grown to all the memory there is. Set a token limit.") { RetryAfterMs = 1_000 },
        "admission/queue-timeout" => new(503, Overloaded, code, "The request waited too long in the queue. Retry later.") { RetryAfterMs = 1_000 },
        "engine/stopped" => new(503, Overloaded, code, "The server stopped while the request was queued or running. Send it again.") { RetryAfterMs = 1_000 },
        "decode/slow-reader" => new(500, "server_error", code, "The answer was not read for too long and was ended. Read faster, or send the request again."),
        "decode/not-finite" => new(500, "server_error", code,
            $"The model computed numbers that are not finite. Send the request again; the log names it by x-request-id {requestId}."),
        _ => Internal(requestId),
    };

    public static ApiError Draining() =>
        new(503, Overloaded, "draining", "This server is shutting down and takes no new work. Try again; another one will answer.") { RetryAfterMs = 1_000 };

    public static ApiError ConsoleFull(int most) =>
        new(503, Overloaded, "unavailable", string.Create(CultureInfo.InvariantCulture,
            $"{most} consoles are open, at most {most} may be. Close one."))
        { RetryAfterMs = 1_000 };

    public static ApiError ModelLoading(string model) =>
        new(503, Overloaded, "model_loading", $"The model '{model}' is still loading.") { RetryAfterMs = 1_000 };

    public static ApiError Unavailable(string what) =>
        new(503, Overloaded, "unavailable", $"{what} did not answer. Try again.") { RetryAfterMs = 1_000 };

    /// <summary>A tenant's refusal; null when it granted.</summary>
    /// <param name="answer">The tenant's answer.</param>
    /// <param name="model">Served name.</param>
    /// <param name="tokens">Tokens the request asked to reserve.</param>
    public static ApiError? Of(ReserveAnswer answer, string model, long tokens) => answer.Outcome switch
    {
        ReserveOutcome.Granted => null,
        ReserveOutcome.InvalidKey => InvalidKey(given: true),
        ReserveOutcome.ModelNotAllowed => ModelNotAllowed(model),
        ReserveOutcome.RequestLimit => RateLimit("requests", answer.Requests, answer.RetryAfterMs),
        ReserveOutcome.TokenLimit when answer.RetryAfterMs is null => new ApiError(429, "rate_limit_error", "rate_limit_exceeded", string.Create(
            CultureInfo.InvariantCulture,
            $"The request needs {tokens} tokens, prompt and longest answer together; the tenant's limit is {answer.Tokens?.Limit} tokens per minute, so it can never pass. Shorten the messages, or ask for fewer tokens."))
        { RetryHelps = false },
        ReserveOutcome.TokenLimit => RateLimit("tokens", answer.Tokens, answer.RetryAfterMs),
        ReserveOutcome.BudgetSpent => new ApiError(429, "insufficient_quota", "insufficient_quota",
            "The budget of this API key's tenant is used up.")
        { RetryAfterMs = answer.RetryAfterMs, RetryHelps = false },
        _ => throw new System.Diagnostics.UnreachableException($"Outcome {answer.Outcome}."),
    };

    /// <summary>A refusal by routing, the session or the worker.</summary>
    public static ApiError Of(Refusal refusal)
    {
        (int status, string type, string code) = refusal.Reason switch
        {
            RefusalReason.SessionBusy => (409, "conflict_error", "session_busy"),
            RefusalReason.ContextLength => (400, InvalidRequest, "context_length_exceeded"),
            RefusalReason.NeverFits => (422, InvalidRequest, "unprocessable"),
            RefusalReason.QueueFull => (503, Overloaded, "queue_full"),
            RefusalReason.Draining => (503, Overloaded, "draining"),
            RefusalReason.Unavailable => (503, Overloaded, "unavailable"),
            RefusalReason.ModelLoading => (503, Overloaded, "model_loading"),
            RefusalReason.StaleRoute => (503, Overloaded, "unavailable"),
            RefusalReason.Invalid => (400, InvalidRequest, "invalid_value"),
            _ => throw new System.Diagnostics.UnreachableException($"Reason {refusal.Reason}."),
        };
        int? retryAfterMs = refusal.RetryAfterMs ?? (status is 409 or 503 ? 1_000 : null);
        return new ApiError(status, type, code, refusal.Message) { Param = refusal.Param, RetryAfterMs = retryAfterMs };
    }

    private static ApiError RateLimit(string unit, RateLimitState? state, int? retryAfterMs) =>
        new(429, "rate_limit_error", "rate_limit_exceeded", state is null
            ? $"The tenant's limit of {unit} per minute is reached."
            : string.Create(CultureInfo.InvariantCulture, $"The tenant's limit of {state.Limit} {unit} per minute is reached; {state.Remaining} are left."))
        {
            RetryAfterMs = retryAfterMs ?? state?.ResetMs ?? 1_000,
        };
}
