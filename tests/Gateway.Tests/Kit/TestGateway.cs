using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Concertina.Gateway.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>A gateway on a free loopback port in front of fake grains.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestGateway(WebApplication app, FakeCluster cluster, TestLog log)
    {
        (_app, Cluster, Log) = (app, cluster, log);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient { BaseAddress = Address, Timeout = Signals.Guard };
    }

    public FakeCluster Cluster { get; }

    public TestLog Log { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    public static Task<TestGateway> Start(params (string Key, string Value)[] settings) => Start(new FakeCluster(), null, settings);

    public static async Task<TestGateway> Start(FakeCluster cluster, TimeProvider? time, params (string Key, string Value)[] settings)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(
        [
            new("Gateway:Models:0", Demo.Model),
            new("Gateway:Seed", "7"),
            .. settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)),
        ]);
        TestLog log = new();
        builder.Logging.ClearProviders().AddProvider(log).AddFilter("Concertina", LogLevel.Debug);
        builder.WebHost.UseUrls(builder.Configuration["urls"] ?? "http://127.0.0.1:0");
        builder.Services.AddSingleton<IGrainFactory>(cluster);
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }
        builder.Services.AddConcertinaGateway(builder.Configuration);
        WebApplication app = builder.Build();
        app.MapConcertina();
        await app.StartAsync();
        await app.Services.GetRequiredService<ModelCatalog>().Refresh(CancellationToken.None);
        return new TestGateway(app, cluster, log);
    }

    /// <summary>A gateway whose only port is the management port.</summary>
    public static async Task<TestGateway> StartOnManagementPort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        int port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        return await Start(("Gateway:ManagementPort", port.ToString(CultureInfo.InvariantCulture)), ("urls", $"http://127.0.0.1:{port}"));
    }

    public static JsonObject Body(params (string Key, JsonNode? Value)[] members)
    {
        JsonObject body = new()
        {
            ["model"] = Demo.Model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi." }),
        };
        foreach ((string key, JsonNode? value) in members)
        {
            body[key] = value;
        }
        return body;
    }

    public async Task<Answer> Chat(JsonObject body, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = Request(body, headers);
        using HttpResponseMessage response = await Client.SendAsync(request);
        return await Answer.Of(response);
    }

    /// <summary>Streams to the end.</summary>
    public async Task<StreamedAnswer> Stream(JsonObject body, params (string Name, string Value)[] headers)
    {
        body["stream"] = true;
        using HttpRequestMessage request = Request(body, headers);
        using HttpResponseMessage response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return await StreamedAnswer.Of(response);
    }

    public static HttpRequestMessage Request(JsonObject body, params (string Name, string Value)[] headers)
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        return request;
    }

    public async Task<Answer> Get(string path, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using HttpResponseMessage response = await Client.SendAsync(request);
        return await Answer.Of(response);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
