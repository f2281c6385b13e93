using System.Net;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Tests;

/// <summary>What stops a start, and who may call from where.</summary>
public sealed class HostingTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("Gateway:MaxBodyBytes", "5")]
    [InlineData("Gateway:KeepAliveSeconds", "0")]
    [InlineData("Gateway:RouteTimeoutMilliseconds", "0")]
    [InlineData("Gateway:SnapshotMilliseconds", "1")]
    [InlineData("Gateway:DefaultNewTokens", "0")]
    [InlineData("Gateway:MaxStopStrings", "0")]
    [InlineData("Gateway:DrainSeconds", "-1")]
    [InlineData("Gateway:ManagementPort", "70000")]
    [InlineData("Gateway:DefaultModel", "unknown")]
    [InlineData("Tenants:acme:KeySha256:0", "not-a-hash")]
    [InlineData("Tenants:a/b:KeySha256:0", Hash)]
    [InlineData("Tenants:acme\n:KeySha256:0", Hash)]
    [InlineData("Tenants:acme:KeySha256:0", Hash + "\n")]
    public async Task A_bad_setting_stops_the_start_and_is_named(string key, string value)
    {
        OptionsValidationException refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => TestGateway.Start((key, value)));

        Assert.Contains(string.Join(':', key.Split(':').Take(2)), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_two_tenants_stops_the_start() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestGateway.Start(("Tenants:acme:KeySha256:0", Hash), ("Tenants:umbra:KeySha256:0", Hash.ToUpperInvariant())));

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://[::1]:8080", true)]
    [InlineData("127.0.0.1:8080", true)]
    [InlineData("http://unix:/run/concertina.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("http://+:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://10.1.2.3:8080/", false)]
    [InlineData("http://localhost.example.org:80", false)]
    [InlineData("http://127.0.0.1.example.org", false)]
    public void A_public_address_needs_keys(string address, bool mayBeKeyless)
    {
        string? refusal = ListenGuard.Refusal(["http://127.0.0.1:1", address], Configuration());

        Assert.Equal(mayBeKeyless, refusal is null);
        Assert.True(refusal is null || (refusal.Contains(address, StringComparison.Ordinal) && refusal.Contains("KeySha256", StringComparison.Ordinal)));
        Assert.Null(ListenGuard.Refusal([address], Configuration(("Tenants:acme:KeySha256:0", Hash))));
    }

    [Fact]
    public async Task Browsers_of_other_origins_are_refused_unless_listed()
    {
        await using TestGateway closed = await TestGateway.Start();
        await using TestGateway open = await TestGateway.Start(("Gateway:CorsOrigins:0", "https://ui.example"));

        Assert.Null((await closed.Get("/v1/models", ("origin", "https://ui.example"))).Header("access-control-allow-origin"));
        Assert.Equal("https://ui.example", (await open.Get("/v1/models", ("origin", "https://ui.example"))).Header("access-control-allow-origin"));
        Assert.Null((await open.Get("/v1/models", ("origin", "https://other.example"))).Header("access-control-allow-origin"));
        using HttpRequestMessage preflight = new(HttpMethod.Options, "/v1/chat/completions");
        preflight.Headers.Add("origin", "https://ui.example");
        preflight.Headers.Add("access-control-request-method", "POST");
        preflight.Headers.Add("access-control-request-headers", "authorization,content-type");
        using HttpResponseMessage allowed = await open.Client.SendAsync(preflight);
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Contains("authorization", string.Join(',', allowed.Headers.GetValues("access-control-allow-headers")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task With_a_management_port_metrics_leave_the_public_one()
    {
        await using TestGateway gateway = await TestGateway.Start(("Gateway:ManagementPort", "1"));

        foreach (string path in (string[])["/metrics", "/metrics/", "/METRICS/", "/%6Detrics", "/metrics//"])
        {
            (await gateway.Get(path)).Fails(404, "path_not_found");
        }
        Assert.Equal(200, (await gateway.Get("/health")).Status);
    }

    [Theory]
    [InlineData("9090", "http://0.0.0.0:8080", "http://0.0.0.0:8080 http://127.0.0.1:9090")]
    [InlineData("9090", "http://0.0.0.0:8080 http://0.0.0.0:9090/", "http://0.0.0.0:8080 http://0.0.0.0:9090/")]
    [InlineData("90", "http://127.0.0.1:8090", "http://127.0.0.1:8090 http://127.0.0.1:90")]
    [InlineData(null, "http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData("70000", "http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    public void The_management_port_is_listened_on(string? port, string addresses, string all) =>
        Assert.Equal(all.Split(' '), ManagementListener.AddTo(addresses.Split(' '), Configuration(("Gateway:ManagementPort", port!))));

    [Fact]
    public async Task The_management_port_serves_metrics_and_health_alone()
    {
        await using TestGateway gateway = await TestGateway.StartOnManagementPort();

        Assert.Equal(200, (await gateway.Get("/livez")).Status);
        using HttpResponseMessage metrics = await gateway.Client.GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.OK, metrics.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", metrics.Content.Headers.ContentType!.ToString());
        (await gateway.Chat(TestGateway.Body())).Fails(404, "path_not_found");
    }

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
        .Build();
}
