using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Concertina.Gateway.Console;

/// <summary>GET /console: the page, its style and its script, from the assembly. They hold no data; what they show needs the operator's key.</summary>
internal static class ConsoleFiles
{
    /// <summary>Nothing from elsewhere, nothing inline, no frame around it.</summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The files by path, with their type.</summary>
    public static readonly (string Path, string Resource, string Type)[] All =
    [
        ("/console", "console.html", "text/html; charset=utf-8"),
        ("/console/console.css", "console.css", "text/css; charset=utf-8"),
        ("/console/icon.svg", "icon.svg", "image/svg+xml"),
        ("/console/console.js", "console.js", "text/javascript; charset=utf-8"),
    ];

    /// <summary>One file.</summary>
    public static IResult Serve(HttpContext context, string resource, string type)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers[HeaderNames.CacheControl] = "no-cache";
        headers["referrer-policy"] = "no-referrer";
        return TypedResults.Stream(
            typeof(ConsoleFiles).Assembly.GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"The assembly holds no resource '{resource}'."),
            type);
    }
}
