using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tests.Kit;

namespace Concertina.Gateway.Tests;

/// <summary>GET /v1/usage, GET and DELETE /v1/sessions/{id}.</summary>
public sealed class AccountTests : IAsyncLifetime
{
    private static readonly (string, string) Acme = ("authorization", "Bearer sk-acme");
    private static readonly (string, string) Other = ("authorization", "Bearer sk-other");
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start(
        ("Tenants:acme:KeySha256:0", KeyHash.Of("sk-acme")), ("Tenants:other:KeySha256:0", KeyHash.Of("sk-other")));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Usage_is_that_of_the_keys_tenant_by_hour_with_what_is_left()
    {
        _gateway.Cluster.Tenant("acme").Used = new TenantUsage
        {
            Requests = 3,
            PromptTokens = 100,
            CachedTokens = 64,
            GeneratedTokens = 20,
            ReservedTokens = 7,
            TokenBudget = 1_000,
            KvByteSeconds = 123_456_789_012.9,
            Hours = [new UsageHour { StartUnixSeconds = 3_600, Requests = 3, PromptTokens = 100, CachedTokens = 64, GeneratedTokens = 20 }],
        };

        Answer answer = await _gateway.Get("/v1/usage", Acme);

        Assert.Equal(
            """
            {"object":"usage","requests":3,"prompt_tokens":100,"cached_tokens":64,"completion_tokens":20,
            "reserved_tokens":7,"token_budget":1000,"remaining_tokens":873,"kv_byte_seconds":123456789012,
            "hours":[{"start":3600,"requests":3,"prompt_tokens":100,"cached_tokens":64,"completion_tokens":20}]}
            """.ReplaceLineEndings(""),
            answer.Body);
        Assert.Equal(0, (await _gateway.Get("/v1/usage", Other)).Json.GetProperty("requests").GetInt64());
    }

    [Theory]
    [InlineData("/v1/usage")]
    [InlineData("/v1/sessions")]
    [InlineData("/v1/sessions/a")]
    public async Task An_account_needs_a_key(string path)
    {
        (await _gateway.Get(path)).Fails(401, "invalid_api_key");
        (await _gateway.Get(path, ("authorization", "Bearer sk-wrong"))).Fails(401, "invalid_api_key");
    }

    [Fact]
    public async Task A_tenant_that_does_not_answer_is_503()
    {
        _gateway.Cluster.Tenant("acme").Failure = new InvalidOperationException("The silo is gone.");

        (await _gateway.Get("/v1/usage", Acme)).Fails(503, "unavailable");
    }

    [Fact]
    public async Task A_session_is_shown_to_its_tenant_and_does_not_exist_for_others()
    {
        _gateway.Cluster.Sequence("acme/a").Held = new SessionStatus(true, false, 300, 256, 65_536, true, "int4");

        Answer own = await _gateway.Get("/v1/sessions/a", Acme);

        Assert.Equal(
            """{"object":"session","id":"a","busy":false,"tokens":300,"warm_tokens":256,"kv_bytes":65536,"exact":true,"rung":"int4"}""", own.Body);
        (await _gateway.Get("/v1/sessions/a", Other)).Fails(404, "session_not_found");
        (await Delete("a", Other)).Fails(404, "session_not_found");
        Assert.True(_gateway.Cluster.Sequence("acme/a").Held.Exists);
    }

    [Fact]
    public async Task The_list_of_sessions_has_those_of_the_keys_tenant_alone()
    {
        _gateway.Cluster.Budget.Held = [HeldSessions.Held("acme/a"), HeldSessions.Held("acme/b") with { DiskBytes = 500 }, HeldSessions.Resting("acme/d", 700), HeldSessions.Held("other/c")];

        Assert.Equal(
            """
            {"object":"list","data":[{"object":"session","id":"b","busy":true,"warm_tokens":640,"kv_bytes":1000,"disk_bytes":500,"exact":false,"rung":"int4"},{"object":"session","id":"d","busy":false,"warm_tokens":0,"kv_bytes":0,"disk_bytes":700,"exact":null,"rung":null}],"has_more":false}
            """,
            (await _gateway.Get("/v1/sessions?after=a", Acme)).Body);
        Assert.Equal("c", Assert.Single((await _gateway.Get("/v1/sessions", Other)).Json.GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
        // A name of another tenant's session as the place to go on from shows nothing of it.
        Assert.Equal("c", Assert.Single((await _gateway.Get("/v1/sessions?after=../acme/a", Other)).Json.GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("..%2Facme%2Fa")]
    [InlineData("acme%2Fa")]
    [InlineData("~1")]
    public async Task A_path_cannot_name_another_tenants_session_nor_one_without_a_name(string id)
    {
        _gateway.Cluster.Sequence("acme/a").Held = new SessionStatus(true, false, 1, 0, 0, true, "f16");
        _gateway.Cluster.Sequence("other/~1").Held = new SessionStatus(true, true, 1, 0, 0, true, "f16");

        (await _gateway.Get($"/v1/sessions/{id}", Other)).Fails(404, "session_not_found");
    }

    [Fact]
    public async Task A_deleted_session_is_gone()
    {
        _gateway.Cluster.Sequence("acme/a").Held = new SessionStatus(true, true, 300, 256, 65_536, true, "f16");

        Answer deleted = await Delete("a", Acme);

        Assert.Equal("""{"object":"session.deleted","id":"a","deleted":true}""", deleted.Body);
        (await _gateway.Get("/v1/sessions/a", Acme)).Fails(404, "session_not_found");
        (await Delete("a", Acme)).Fails(404, "session_not_found");
    }

    private async Task<Answer> Delete(string id, (string Name, string Value) key)
    {
        using HttpRequestMessage request = new(HttpMethod.Delete, $"/v1/sessions/{id}");
        request.Headers.TryAddWithoutValidation(key.Name, key.Value);
        using HttpResponseMessage response = await _gateway.Client.SendAsync(request);
        return await Answer.Of(response);
    }
}
