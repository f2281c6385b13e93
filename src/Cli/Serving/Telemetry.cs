using Concertina.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Concertina.Cli.Serving;

/// <summary>Traces and metrics over OTLP, when an endpoint is configured; otherwise nothing is collected for it.</summary>
internal static class Telemetry
{
    private const string EndpointKey = "Otlp:Endpoint";
    private const string EnvironmentKey = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Adds the exporter.</summary>
    /// <returns>The endpoint, or null.</returns>
    /// <exception cref="CliException">The endpoint is not an address.</exception>
    public static Uri? Add(WebApplicationBuilder builder)
    {
        string? endpoint = builder.Configuration[EndpointKey] is { Length: > 0 } configured ? configured : builder.Configuration[EnvironmentKey];
        if (string.IsNullOrEmpty(endpoint))
        {
            return null;
        }
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? uri))
        {
            throw new CliException(ExitCode.Usage, $"{EndpointKey} is '{endpoint}'; write an address such as http://127.0.0.1:4317.");
        }
        OtlpExportProtocol protocol = builder.Configuration["OTEL_EXPORTER_OTLP_PROTOCOL"] is "http/protobuf" || uri.Port == 4318
            ? OtlpExportProtocol.HttpProtobuf
            : OtlpExportProtocol.Grpc;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("concertina"))
            .WithTracing(traces => traces.AddSource(GatewayHosting.TelemetryName).AddAspNetCoreInstrumentation())
            .WithMetrics(metrics => metrics.AddMeter("Concertina.*").AddMeter("System.Runtime").AddAspNetCoreInstrumentation())
            .UseOtlpExporter(protocol, uri);
        return uri;
    }
}
