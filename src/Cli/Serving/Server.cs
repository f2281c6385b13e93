using System.Net.Sockets;
using Concertina.Contracts.Workers;
using Concertina.Gateway;
using Concertina.Gateway.Models;
using Concertina.Grains.Workers;
using Concertina.Silo;
using Concertina.Silo.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Cli.Serving;

/// <summary>Gateway and silo in one process, from the configuration to the last line.</summary>
internal static class Server
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>Serves until the process is told to stop.</summary>
    public static async Task<int> Run(ServeSettings settings, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        string[] addresses = ServeConfiguration.Apply(builder.Configuration, settings);
        builder.WebHost.UseUrls(ManagementListener.AddTo(addresses, builder.Configuration));
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true)
            .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.AddConcertinaSilo();
        builder.Services.AddConcertinaGateway(builder.Configuration);
        builder.Services.AddSingleton<IModelDirectory, SiloModels>();
        DrainOrder.Check(builder.Services);
        Uri? telemetry = Telemetry.Add(builder);
        await using WebApplication app = await Start(builder, addresses);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, app.Lifetime.ApplicationStopping);
        try
        {
            ModelFacts facts = await Loaded(app, stop.Token);
            await Ready(app, stop.Token);
            StartScreen.Facts(facts, app.Services.GetRequiredService<LocalWorker>().Load(), telemetry);
            StartScreen.Listening(addresses[0], facts.Name);
            await app.WaitForShutdownAsync(cancellation);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop before it was ready: that is no failure.
            await app.StopAsync(CancellationToken.None);
        }
        return ExitCode.Success;
    }

    private static async Task<WebApplication> Start(WebApplicationBuilder builder, string[] addresses)
    {
        WebApplication? app = null;
        try
        {
            app = builder.Build();
            app.MapConcertina();
            app.Services.GetRequiredService<ModelService>().StageChanged += new StartScreen(builder.Configuration["Model:Path"]!).Show;
            await app.StartAsync();
            return app;
        }
        catch (Exception problem) when (Explain(problem, addresses) is { } explained)
        {
            await (app?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw explained;
        }
    }

    /// <summary>What a person can do about a start that failed; null for what is our fault.</summary>
    private static CliException? Explain(Exception problem, string[] addresses) => problem switch
    {
        OptionsValidationException invalid => new CliException(ExitCode.Usage, string.Join('\n', invalid.Failures.Select(Sentence))),
        InvalidOperationException unknown when unknown.Message.Contains("ErrorOnUnknownConfiguration", StringComparison.Ordinal) =>
            new CliException(ExitCode.Usage, $"The configuration has a key that no option has (docs/configuration.md lists them). {unknown.Message}"),
        IOException { InnerException: AddressInUseException } =>
            new CliException(ExitCode.Address, $"{addresses[0]} is in use by another process; choose another with --listen."),
        SocketException denied => new CliException(ExitCode.Address, $"{string.Join(", ", addresses)} cannot be listened on: {denied.Message}."),
        IOException or UnauthorizedAccessException => new CliException(ExitCode.Failure, problem.Message),
        _ => null,
    };

    // The framework wraps our sentence: "DataAnnotation validation failed for ... with the error: '...'."
    private static string Sentence(string failure)
    {
        const string before = "with the error: '";
        int start = failure.IndexOf(before, StringComparison.Ordinal);
        return start < 0 ? failure : failure[(start + before.Length)..].TrimEnd('.', '\'');
    }

    private static async Task<ModelFacts> Loaded(WebApplication app, CancellationToken stop)
    {
        try
        {
            return await app.Services.GetRequiredService<ModelService>().Ready.WaitAsync(stop);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            await app.StopAsync(CancellationToken.None);
            throw new CliException(ExitCode.Model, problem.Message);
        }
    }

    // The gateway has fetched the model's facts and tokenizer when its own check says ready.
    private static async Task Ready(WebApplication app, CancellationToken stop)
    {
        HealthCheckService health = app.Services.GetRequiredService<HealthCheckService>();
        TimeProvider time = app.Services.GetRequiredService<TimeProvider>();
        long start = time.GetTimestamp();
        HealthReport report;
        while ((report = await health.CheckHealthAsync(check => check.Tags.Contains(GatewayHosting.ReadyTag), stop)).Status != HealthStatus.Healthy)
        {
            if (time.GetElapsedTime(start) > ReadyWithin)
            {
                string why = string.Join("; ", report.Entries.Values.Select(entry => entry.Description));
                throw new CliException(ExitCode.Failure, $"The server is not ready {ReadyWithin.TotalSeconds:F0} s after its model was loaded: {why}");
            }
            await Task.Delay(LookEvery, time, stop);
        }
    }
}
