using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Http;

/// <summary>The paths of the API.</summary>
internal static class GatewayPaths
{
    public const string Health = "/health";
    public const string Live = "/livez";
    public const string Ready = "/readyz";
    public const string Metrics = "/metrics";

    public const string AdminKv = "/admin/kv";
    public const string AdminEvents = "/admin/events";
    public const string AdminBudget = "/admin/kv/budget";
    public const string AdminSessions = "/admin/sessions";
    public const string AdminTenant = "/admin/tenants/{id}";
    public const string Usage = "/v1/usage";
    public const string Sessions = "/v1/sessions";
    public const string Session = "/v1/sessions/{id}";

    /// <summary>Served under <c>/v1</c> and without it.</summary>
    public static readonly string[] Chat = ["/v1/chat/completions", "/chat/completions"];

    /// <inheritdoc cref="Chat"/>
    public static readonly string[] Models = ["/v1/models", "/models"];

    /// <inheritdoc cref="Chat"/>
    public static readonly string[] Ladder = ["/v1/kv/ladder", "/kv/ladder"];

    /// <summary>Known to clients, answered with 501 until they are served.</summary>
    public static readonly string[] Later =
    [
        "/v1/completions", "/completions", "/v1/embeddings", "/embeddings", "/v1/responses", "/v1/messages",
        "/tokenize", "/detokenize", "/v1/chat/completions/input_tokens",
    ];

    /// <summary>True for what is asked by machines that watch the server, which is not counted as work.</summary>
    public static bool IsManagement(PathString path) =>
        Is(path, Health) || Is(path, Live) || Is(path, Ready) || IsMetrics(path);

    /// <summary>True for the path of the metrics.</summary>
    public static bool IsMetrics(PathString path) => Is(path, Metrics);

    // As routing compares: in any case, with or without a slash at the end.
    private static bool Is(PathString path, string known) =>
        path.Value.AsSpan().TrimEnd('/').Equals(known, StringComparison.OrdinalIgnoreCase);
}
