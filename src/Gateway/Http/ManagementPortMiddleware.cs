using Microsoft.AspNetCore.Http;

namespace Concertina.Gateway.Http;

/// <summary>
/// Keeps metrics off the public port and the API off the management port. Health answers on both: load balancers look at
/// the port they send work to.
/// </summary>
internal sealed class ManagementPortMiddleware(RequestDelegate next, int managementPort)
{
    public Task InvokeAsync(HttpContext context)
    {
        bool managementPath = GatewayPaths.IsManagement(context.Request.Path);
        bool wrongPort = context.Connection.LocalPort == managementPort
            ? !managementPath
            : GatewayPaths.IsMetrics(context.Request.Path);
        if (wrongPort)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        return next(context);
    }
}
