using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Telemetry;

/// <summary>One span per chat request, one event per stage, none per token.</summary>
internal static class GatewayActivity
{
    public const string SourceName = "Concertina.Gateway";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Starts the span, as a child of the server's own or of the caller's <c>traceparent</c>.</summary>
    /// <returns>Null when nobody listens.</returns>
    public static Activity? Start(HttpContext context, string requestId)
    {
        ActivityContext parent = Activity.Current?.Context
            ?? (ActivityContext.TryParse(context.Request.Headers.TraceParent, context.Request.Headers.TraceState, isRemote: true, out ActivityContext caller)
                ? caller
                : default);
        Activity? activity = Source.StartActivity("chat", ActivityKind.Server, parent);
        activity?.SetTag("gen_ai.operation.name", "chat").SetTag("http.request.id", requestId);
        return activity;
    }
}
