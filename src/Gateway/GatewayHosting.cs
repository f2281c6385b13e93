using Concertina.Gateway.Admin;
using Concertina.Gateway.Chat;
using Concertina.Gateway.Console;
using Concertina.Gateway.Generations;
using Concertina.Gateway.Http;
using Concertina.Gateway.Models;
using Concertina.Gateway.Telemetry;
using Concertina.Gateway.Tenants;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway;

/// <summary>Adds the OpenAI-compatible API to a web host. The host brings an <see cref="Orleans.IGrainFactory"/>.</summary>
public static class GatewayHosting
{
    /// <summary>Name of the activity source and meter, for OpenTelemetry.</summary>
    public const string TelemetryName = GatewayActivity.SourceName;

    /// <summary>Tag of health checks that <c>/livez</c> runs.</summary>
    public const string LiveTag = "live";

    /// <summary>Tag of health checks that <c>/readyz</c> and <c>/health</c> run.</summary>
    public const string ReadyTag = "ready";

    private const string CorsPolicy = "Concertina";

    /// <summary>Registers the gateway's services and its options, which are checked at start.</summary>
    /// <param name="services">Services of the host.</param>
    /// <param name="configuration">Configuration with the sections <see cref="GatewayOptions.Section"/> and <c>Tenants</c>.</param>
    public static IServiceCollection AddConcertinaGateway(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        AddOptions(services, configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelDirectory, ConfiguredModels>();
        services.AddMetrics();
        services.AddSingleton<GatewayMetrics>().AddSingleton<PrometheusExporter>();
        services.AddSingleton<GatewayCalls>().AddSingleton<DrainState>();
        services.AddSingleton<KeyRing>().AddSingleton<TenantAccess>().AddSingleton<AccountEndpoints>();
        services.AddSingleton<GrainLookup>().AddSingleton<WorkerDirectory>();
        services.AddSingleton<AdminAccess>().AddSingleton<AdminEndpoints>().AddSingleton<TenantEndpoints>().AddSingleton<BudgetEndpoint>().AddSingleton<ConsoleEvents>();
        services.AddSingleton<ModelCatalog>().AddSingleton<ModelEndpoints>().AddHostedService<ModelWatch>();
        services.AddSingleton<SeedSource>().AddSingleton<ChatValidator>().AddSingleton<ChatSurroundings>().AddSingleton<ChatReader>().AddSingleton<ChatEndpoint>();
        services.AddSingleton<Router>().AddSingleton<GenerationServices>().AddSingleton<GenerationOpener>();
        services.AddHealthChecks().AddCheck<ReadyCheck>("gateway", tags: [ReadyTag]).AddCheck<ProgressCheck>("progress", tags: [LiveTag]);
        services.AddCors();
        services.AddOptions<Microsoft.AspNetCore.Cors.Infrastructure.CorsOptions>().Configure<IOptions<GatewayOptions>>((cors, gateway) =>
            cors.AddPolicy(CorsPolicy, policy => policy.WithOrigins([.. gateway.Value.CorsOrigins]).AllowAnyHeader().AllowAnyMethod()));
        return services;
    }

    /// <summary>Maps the API, the health paths and the metrics, and the frame around them (request ids, error objects).</summary>
    public static WebApplication MapConcertina(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        GatewayOptions options = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        // Made now: one hears the host stop, the other all that the host's services measure as they start.
        _ = app.Services.GetRequiredService<DrainState>();
        _ = app.Services.GetRequiredService<PrometheusExporter>();
        app.UseMiddleware<ScopeMiddleware>();
        if (options.ManagementPort is { } port)
        {
            app.UseMiddleware<ManagementPortMiddleware>(port);
        }
        app.UseRouting();
        if (options.CorsOrigins.Count > 0)
        {
            app.UseCors(CorsPolicy);
        }
        MapApi(app);
        MapAdmin(app);
        MapManagement(app);
        return app;
    }

    private static void MapApi(WebApplication app)
    {
        ChatEndpoint chat = app.Services.GetRequiredService<ChatEndpoint>();
        foreach (string path in GatewayPaths.Chat)
        {
            app.MapPost(path, (Delegate)chat.Complete);
        }
        ModelEndpoints models = app.Services.GetRequiredService<ModelEndpoints>();
        foreach (string path in GatewayPaths.Models)
        {
            app.MapGet(path, (Delegate)models.List);
            app.MapGet(path + "/{id}", models.Get);
        }
        foreach (string path in GatewayPaths.Ladder)
        {
            app.MapGet(path, models.Ladder);
        }
        AccountEndpoints account = app.Services.GetRequiredService<AccountEndpoints>();
        app.MapGet(GatewayPaths.Usage, (Delegate)account.Usage);
        app.MapGet(GatewayPaths.Sessions, (Delegate)account.Sessions);
        app.MapGet(GatewayPaths.Session, account.Session);
        app.MapDelete(GatewayPaths.Session, account.Delete);
        KeyRing keys = app.Services.GetRequiredService<KeyRing>();
        foreach (string path in GatewayPaths.Later)
        {
            app.MapPost(path, (HttpContext context) => new ErrorResult(keys.Identify(context.Request).Error
                ?? ApiErrors.NotSupported(null, $"'{path}' is not supported yet; use /v1/chat/completions.")));
        }
    }

    private static void MapAdmin(WebApplication app)
    {
        AdminEndpoints admin = app.Services.GetRequiredService<AdminEndpoints>();
        app.MapGet(GatewayPaths.AdminKv, (Delegate)admin.Kv);
        app.MapGet(GatewayPaths.AdminSessions, (Delegate)admin.Sessions);
        TenantEndpoints tenants = app.Services.GetRequiredService<TenantEndpoints>();
        app.MapGet(GatewayPaths.AdminTenant, tenants.Get);
        app.MapPut(GatewayPaths.AdminTenant, tenants.Put);
        app.MapGet(GatewayPaths.AdminEvents, (Delegate)app.Services.GetRequiredService<ConsoleEvents>().Watch);
        foreach ((string path, string resource, string type) in ConsoleFiles.All)
        {
            app.MapGet(path, (HttpContext context) => ConsoleFiles.Serve(context, resource, type));
        }
        app.MapPut(GatewayPaths.AdminBudget, (Delegate)app.Services.GetRequiredService<BudgetEndpoint>().Change);
    }

    private static void MapManagement(WebApplication app)
    {
        app.MapHealthChecks(GatewayPaths.Live, HealthWriter.Options(LiveTag));
        app.MapHealthChecks(GatewayPaths.Ready, HealthWriter.Options(ReadyTag));
        app.MapHealthChecks(GatewayPaths.Health, HealthWriter.Options(ReadyTag));
        PrometheusExporter exporter = app.Services.GetRequiredService<PrometheusExporter>();
        app.MapGet(GatewayPaths.Metrics, () => TypedResults.Text(exporter.Scrape(), PrometheusExporter.ContentType));
    }

    private static void AddOptions(IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<GatewayOptions>().Bind(configuration.GetSection(GatewayOptions.Section)).ValidateDataAnnotations()
            .Validate(
                options => options.DefaultModel is null || options.Models.Count == 0 || options.Models.Contains(options.DefaultModel) || options.Aliases.ContainsKey(options.DefaultModel),
                "Gateway:DefaultModel must be one of Gateway:Models or an alias.")
            .ValidateOnStart();
        services.AddOptions<AdminOptions>().Bind(configuration.GetSection(AdminOptions.Section)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdminOptions>, AdminKeyValidator>();
        services.AddSingleton(TenantKeys.Read(configuration)).AddSingleton<IValidateOptions<GatewayOptions>, TenantKeyValidator>();
    }
}
