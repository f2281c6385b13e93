using System.Security.Cryptography;
using System.Text;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests.Kv;

/// <summary>GET /v1/kv/ladder.</summary>
public sealed class LadderTests : IAsyncLifetime
{
    private const string Key = "sk-test-acme";
    private static readonly (string, string) Acme = ("authorization", $"Bearer {Key}");
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start(
        ("Tenants:acme:KeySha256:0", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)))), ("Gateway:Aliases:gpt-4o", Demo.Model));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData("/v1/kv/ladder")]
    [InlineData("/kv/ladder")]
    [InlineData("/v1/kv/ladder?model=demo")]
    [InlineData("/v1/kv/ladder?model=")]
    [InlineData("/v1/kv/ladder?model=gpt-4o")]
    public async Task The_rungs_are_listed_with_a_null_where_nothing_was_measured(string path)
    {
        Answer answer = await _gateway.Get(path, Acme);

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            """
            {"object":"list","model":"demo","data":[
            {"object":"kv.rung","name":"f16","bits":16,"ratio":1,"bytes_per_token":4133,"mean_kl":0,"p99_kl":0,"recall":0.978},
            {"object":"kv.rung","name":"int4","bits":4.5,"ratio":3.4135,"bytes_per_token":1211,"mean_kl":0.0041,"p99_kl":0.052,"recall":null}]}
            """.ReplaceLineEndings(""),
            answer.Body);
    }

    [Fact]
    public async Task A_ladder_needs_a_key_and_the_right_to_the_model()
    {
        (await _gateway.Get("/v1/kv/ladder")).Fails(401, "invalid_api_key");
        (await _gateway.Get("/v1/kv/ladder", ("authorization", "Bearer sk-wrong"))).Fails(401, "invalid_api_key");

        _gateway.Cluster.Tenant("acme").Models = ["other"];

        (await _gateway.Get("/v1/kv/ladder", Acme)).Fails(403, "model_not_allowed", "model");
    }

    [Fact]
    public async Task An_unknown_model_is_404() => (await _gateway.Get("/v1/kv/ladder?model=gpt-9", Acme)).Fails(404, "model_not_found", "model");

    [Fact]
    public async Task A_model_that_loads_is_503_and_worth_a_retry()
    {
        _gateway.Cluster.Ladder = null;
        Answer again = await _gateway.Get("/v1/kv/ladder", Acme);

        await using TestGateway loading = await TestGateway.Start(new FakeCluster { Facts = null }, null);
        Answer first = await loading.Get("/v1/kv/ladder");

        Assert.All((Answer[])[again, first], answer =>
        {
            answer.Fails(503, "model_loading");
            Assert.Equal("1", answer.Header("retry-after"));
        });
    }

    [Fact]
    public async Task A_worker_that_does_not_answer_is_503()
    {
        _gateway.Cluster.LadderFault = new InvalidOperationException("The silo is gone.");

        (await _gateway.Get("/v1/kv/ladder", Acme)).Fails(503, "unavailable");
    }

    [Fact]
    public async Task Only_reading_is_answered()
    {
        using HttpResponseMessage response = await _gateway.Client.PostAsync("/v1/kv/ladder", new StringContent("{}"));

        (await Answer.Of(response)).Fails(405, "method_not_allowed");
    }
}
