using System.Security.Cryptography;
using System.Text;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>PUT /admin/tenants/{id}, and what GET says of where values come from.</summary>
public sealed class TenantChangeTests : IAsyncLifetime
{
    private const string Key = "sk-operator";
    private TestGateway _gateway = null!;

    private FakeTenant Tenant => _gateway.Cluster.Tenant("acme");

    public async ValueTask InitializeAsync() =>
        _gateway = await TestGateway.Start(("Tenants:acme:KeySha256:0", Hash("sk-acme")), ("Admin:KeySha256", Hash(Key)));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Values_reach_the_tenant_and_null_goes_back_to_the_configuration()
    {
        Answer answer = await Put("""
            {"weight": 2.5, "priority": "high", "default_floor": "int4", "requests_per_minute": 60, "tokens_per_minute": "none", "token_budget": null}
            """);

        Assert.Equal(200, answer.Status);
        TenantChange change = Assert.Single(Tenant.Changes);
        Assert.Equal(
            new TenantOverrides { Weight = 2.5, Priority = TenantPriority.High, DefaultFloor = "int4", RequestsPerMinute = 60, TokensPerMinute = TenantOverrides.NoLimit },
            change.Set);
        Assert.Equal(["token_budget"], change.Reset);
    }

    [Theory]
    [InlineData("0.005", "0.005")]
    [InlineData("\"commvq2\"", "commvq2")]
    [InlineData("\"none\"", "")]
    public async Task A_default_floor_is_a_rung_a_number_or_none(string given, string told)
    {
        Assert.Equal(200, (await Put($$"""{"default_floor": {{given}}}""")).Status);
        Assert.Equal(told, Assert.Single(Tenant.Changes).Set.DefaultFloor);
    }

    [Theory]
    [InlineData("{}", "body")]
    [InlineData("{\"wieght\":1}", "wieght")]
    [InlineData("{\"Weight\":1}", "Weight")]
    [InlineData("{\"wieght\":null}", "wieght")]
    [InlineData("{\"weight\":\"2\"}", "weight")]
    [InlineData("{\"priority\":1}", "priority")]
    [InlineData("{\"priority\":\"urgent\"}", "priority")]
    [InlineData("{\"default_floor\":-1}", "default_floor")]
    [InlineData("{\"default_floor\":\"Int4\"}", "default_floor")]
    [InlineData("{\"requests_per_minute\":0}", "requests_per_minute")]
    [InlineData("{\"tokens_per_minute\":1.5}", "tokens_per_minute")]
    [InlineData("{\"token_budget\":\"all\"}", "token_budget")]
    [InlineData("{\"weight\":3,\"token_budget\":[]}", "token_budget")]
    public async Task What_cannot_be_is_400_by_name_and_nothing_is_changed(string body, string param)
    {
        (await Put(body)).Fails(400, "invalid_value", param);
        Assert.Empty(Tenant.Changes);
    }

    [Fact]
    public async Task What_the_tenant_refuses_is_400_with_its_words()
    {
        Tenant.Wrong = ("weight", "'weight' is 0. Weight must be between 0.001 and 1000.");

        Answer answer = await Put("""{"weight": 0}""");

        answer.Fails(400, "invalid_value", "weight");
        Assert.Contains("Nothing was changed", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_value_is_shown_with_where_it_comes_from_to_the_operator_alone()
    {
        Tenant.Holds = new TenantSettings
        {
            Weight = 2,
            Priority = TenantPriority.Low,
            DefaultFloor = "0.5",
            RequestsPerMinute = 60,
            TokensPerMinute = null,
            TokenBudget = null,
            SetAtRunTime = ["weight", "priority"],
            Configured = ["weight", "default_floor", "requests_per_minute"],
        };

        const string settings =
            """
            {"object":"tenant.settings","id":"acme","weight":{"value":2,"source":"admin"},"priority":{"value":"low","source":"admin"},
            "default_floor":{"value":0.5,"source":"configuration"},"requests_per_minute":{"value":60,"source":"configuration"},
            "tokens_per_minute":{"value":null,"source":"default"},"token_budget":{"value":null,"source":"default"}}
            """;
        Assert.Equal(settings.ReplaceLineEndings(""), (await Put("""{"weight": 2}""")).Body);
        Answer shown = await _gateway.Get("/admin/tenants/acme", ("authorization", $"Bearer {Key}"));
        Assert.Equal(settings.ReplaceLineEndings(""), shown.Json.GetProperty("settings").GetRawText());
        Answer own = await _gateway.Get("/v1/usage", ("authorization", "Bearer sk-acme"));
        Assert.DoesNotContain("settings", own.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_operator_changes_a_tenant_and_an_unknown_one_is_404()
    {
        (await Put("""{"weight": 2}""", key: "sk-acme")).Fails(401, "invalid_api_key");
        (await Put("""{"weight": 2}""", tenant: "nobody")).Fails(404, "tenant_not_found");
        Assert.Empty(Tenant.Changes);
    }

    [Fact]
    public async Task A_tenant_that_does_not_answer_is_503()
    {
        Tenant.Failure = new InvalidOperationException("gone");
        (await Put("""{"weight": 2}""")).Fails(503, "unavailable");
    }

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private async Task<Answer> Put(string body, string key = Key, string tenant = "acme")
    {
        using HttpRequestMessage request = new(HttpMethod.Put, $"/admin/tenants/{tenant}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("authorization", $"Bearer {key}");
        using HttpResponseMessage response = await _gateway.Client.SendAsync(request);
        return await Answer.Of(response);
    }
}
