using System.Text.Json.Serialization;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Wire.Admin;

namespace Concertina.Gateway.Wire;

/// <summary>What a tenant has used, as <c>GET /v1/usage</c> shows it.</summary>
/// <param name="Requests">Ended requests.</param>
/// <param name="PromptTokens">Prompt tokens, cached ones included.</param>
/// <param name="CachedTokens">Of those, tokens whose KV was reused.</param>
/// <param name="CompletionTokens">Generated tokens.</param>
/// <param name="ReservedTokens">Tokens reserved by requests that have not ended.</param>
/// <param name="TokenBudget">Tokens the tenant may ever use; null: no limit.</param>
/// <param name="RemainingTokens">Tokens left of the budget, reservations taken off; null: no limit.</param>
/// <param name="KvByteSeconds">Bytes of KV memory times the seconds sessions held them.</param>
/// <param name="Hours">By hour, oldest first.</param>
internal sealed record UsageReport(
    long Requests, long PromptTokens, long CachedTokens, long CompletionTokens, long ReservedTokens, long? TokenBudget, long? RemainingTokens,
    long KvByteSeconds, UsageReport.Hour[] Hours)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "usage";

    /// <summary>What holds for the tenant; for the operator alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TenantView? Settings { get; init; }

    public static UsageReport Of(TenantUsage usage) => new(
        usage.Requests,
        usage.PromptTokens,
        usage.CachedTokens,
        usage.GeneratedTokens,
        usage.ReservedTokens,
        usage.TokenBudget,
        usage.TokenBudget is { } budget
            ? Math.Max(0, budget - usage.PromptTokens - usage.GeneratedTokens - usage.ReservedTokens)
            : null,
        (long)Math.Min(usage.KvByteSeconds, long.MaxValue),
        [.. usage.Hours.Select(hour => new Hour(hour.StartUnixSeconds, hour.Requests, hour.PromptTokens, hour.CachedTokens, hour.GeneratedTokens))]);

    /// <summary>One hour in which requests ended; <paramref name="Start"/> is Unix time in seconds.</summary>
    internal sealed record Hour(long Start, long Requests, long PromptTokens, long CachedTokens, long CompletionTokens);
}
