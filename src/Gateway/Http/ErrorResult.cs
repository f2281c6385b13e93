using System.Globalization;
using Concertina.Gateway.Wire;
using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Http;

/// <summary>Writes one error with its status and retry headers.</summary>
internal sealed class ErrorResult(ApiError error) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = error.Status;
        if (error.RetryAfterMs is { } milliseconds)
        {
            // Whole seconds, never 0: a client that obeys it must not come back at once.
            response.Headers.RetryAfter = Math.Max(1, (milliseconds + 999) / 1_000).ToString(CultureInfo.InvariantCulture);
            response.Headers["retry-after-ms"] = milliseconds.ToString(CultureInfo.InvariantCulture);
        }
        if (!error.RetryHelps)
        {
            response.Headers["x-should-retry"] = "false";
        }
        RequestScope.Of(httpContext).ErrorCode = error.Code;
        return response.WriteAsJsonAsync(ErrorBody.Of(error), GatewayJson.Wire.ErrorBody, contentType: "application/json", httpContext.RequestAborted);
    }
}
