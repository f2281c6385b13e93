using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Concertina.Gateway.Http;

/// <summary>Writes what a health path found: <c>{"status":"ok"}</c>, or the error object with status 503.</summary>
internal static class HealthWriter
{
    public static HealthCheckOptions Options(string tag) => new()
    {
        Predicate = check => check.Tags.Contains(tag),
        ResponseWriter = Write,
    };

    private static Task Write(HttpContext context, HealthReport report)
    {
        string why = string.Join("; ", report.Entries.Values.Where(entry => entry.Status != HealthStatus.Healthy).Select(entry => entry.Description));
        ErrorBody.Detail? error = why.Length == 0 ? null : new ErrorBody.Detail(why, "overloaded_error", null, why == "draining" ? why : "unavailable");
        return context.Response.WriteAsJsonAsync(
            new HealthBody(error is null ? "ok" : "unavailable", error), GatewayJson.Wire.HealthBody, contentType: "application/json", context.RequestAborted);
    }
}
