using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Http;

/// <summary>What one HTTP request carries through the gateway: its id, its start, and how it ended.</summary>
internal sealed partial class RequestScope(string requestId, long startedAt)
{
    /// <summary>The caller's <c>x-request-id</c> where it is well-formed, else a generated one. Not unique: usage has an id of its own.</summary>
    public string RequestId { get; } = requestId;

    /// <summary>Timestamp of the time provider at the request's start.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>Error code of the answer or of the error event; null while all is well.</summary>
    public string? ErrorCode { get; set; }

    /// <summary>Served model, once known.</summary>
    public string? Model { get; set; }

    /// <summary>The request's span, if anyone listens.</summary>
    public Activity? Activity { get; set; }

    /// <summary>A stage of the request's life is done.</summary>
    public void Stage(string name) => Activity?.AddEvent(new ActivityEvent(name));

    public static RequestScope Of(HttpContext context) =>
        context.Features.Get<RequestScope>() ?? throw new InvalidOperationException("The request passed no UseConcertinaScope; call MapConcertina on the application.");

    public static RequestScope Begin(HttpContext context, TimeProvider time)
    {
        string? asked = context.Request.Headers["x-request-id"];
        string id = asked is not null && WellFormed().IsMatch(asked) ? asked : $"req_{Guid.CreateVersion7(time.GetUtcNow()):N}";
        RequestScope scope = new(id, time.GetTimestamp());
        context.Features.Set(scope);
        return scope;
    }

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex WellFormed();
}
