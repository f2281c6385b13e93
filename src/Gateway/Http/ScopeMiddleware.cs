using System.Globalization;
using Concertina.Gateway.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Concertina.Gateway.Http;

/// <summary>Frames each request: id and time headers, error objects for what no endpoint answered, the last catch.</summary>
internal sealed class ScopeMiddleware(RequestDelegate next, TimeProvider time, GatewayMetrics metrics, ILogger<ScopeMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        RequestScope scope = RequestScope.Begin(context, time);
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["x-request-id"] = scope.RequestId;
            context.Response.Headers["openai-processing-ms"] =
                ((long)time.GetElapsedTime(scope.StartedAt).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone; 499 is for the log alone.
            logger.ClientGone(scope.RequestId);
            scope.ErrorCode ??= "client_closed";
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            }
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            logger.RequestFailed(failure, scope.RequestId, context.Request.Path);
            context.Response.Clear();
            await new ErrorResult(ApiErrors.Internal(scope.RequestId)).ExecuteAsync(context);
        }
        if (!context.Response.HasStarted && context.Response.ContentLength is null && Unanswered(context) is { } error)
        {
            await new ErrorResult(error).ExecuteAsync(context);
        }
        if (!GatewayPaths.IsManagement(context.Request.Path))
        {
            metrics.Answered(scope.Model, context.Response.StatusCode, scope.ErrorCode, time.GetElapsedTime(scope.StartedAt));
        }
    }

    /// <summary>Routing leaves a bare status where no endpoint matched.</summary>
    private static ApiError? Unanswered(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => ApiErrors.PathNotFound(context.Request.Path),
        StatusCodes.Status405MethodNotAllowed => ApiErrors.MethodNotAllowed(context.Request.Method, context.Request.Path),
        _ => null,
    };
}
