using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tenants;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;

namespace Concertina.Gateway.Tests;

/// <summary>Contract tests 68 to 83: keys, limits, refusals, tenants.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const string Key = "sk-test-acme";
    private const string OtherKey = "sk-test-umbra";
    private static readonly (string, string) Acme = ("authorization", $"Bearer {Key}");
    private static readonly (string, string) Umbra = ("x-api-key", OtherKey);
    private TestGateway _gateway = null!;

    private FakeTenant Tenant => _gateway.Cluster.Tenant("acme");

    public async ValueTask InitializeAsync() =>
        _gateway = await TestGateway.Start(("Tenants:acme:KeySha256:0", HashOf(Key)), ("Tenants:umbra:KeySha256:0", HashOf(OtherKey).ToUpperInvariant()));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task T68_No_key_is_401()
    {
        (await _gateway.Chat(TestGateway.Body())).Fails(401, "invalid_api_key");
        (await _gateway.Get("/v1/models")).Fails(401, "invalid_api_key");
        Assert.Equal(200, (await _gateway.Get("/health")).Status);
        Assert.Equal(200, (await _gateway.Get("/livez")).Status);
        Assert.Equal(200, (await _gateway.Get("/readyz")).Status);
    }

    [Theory]
    [InlineData("Bearer sk-wrong")]
    [InlineData("Bearer ")]
    [InlineData("Basic c2s=")]
    public async Task T69_A_bad_key_is_401(string authorization)
    {
        (await _gateway.Chat(TestGateway.Body(), ("authorization", authorization))).Fails(401, "invalid_api_key");
        Assert.Empty(_gateway.Cluster.Requests);
    }

    [Fact]
    public async Task T69b_A_key_the_tenant_disowns_is_401()
    {
        Tenant.Answer = new ReserveAnswer { Outcome = ReserveOutcome.InvalidKey };

        (await _gateway.Chat(TestGateway.Body(), Acme)).Fails(401, "invalid_api_key");
    }

    [Fact]
    public async Task T69c_The_grain_gets_the_hash_of_the_key_under_its_tenant()
    {
        await _gateway.Chat(TestGateway.Body(), Acme);
        await _gateway.Chat(TestGateway.Body(), Umbra);

        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(Key)), Assert.Single(Tenant.Reserved).KeySha256);
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(OtherKey)), Assert.Single(_gateway.Cluster.Tenant("umbra").Reserved).KeySha256);
    }

    [Fact]
    public async Task T70_A_model_the_key_may_not_use_is_403_and_not_listed()
    {
        Tenant.Models = ["other"];

        (await _gateway.Chat(TestGateway.Body(), Acme)).Fails(403, "model_not_allowed", "model");
        (await _gateway.Get($"/v1/models/{Demo.Model}", Acme)).Fails(403, "model_not_allowed", "model");
        Assert.Empty((await _gateway.Get("/v1/models", Acme)).Json.GetProperty("data").EnumerateArray());
        Assert.Single((await _gateway.Get("/v1/models", Umbra)).Json.GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task T71_An_unknown_model_is_404()
    {
        Answer answer = await _gateway.Chat(TestGateway.Body(("model", "gpt-9")), Acme);

        answer.Fails(404, "model_not_found", "model");
        (await _gateway.Chat(TestGateway.Body(("model", null)), Acme)).Fails(400, "missing_required_parameter", "model");
    }

    [Theory]
    [InlineData(ReserveOutcome.RequestLimit)]
    [InlineData(ReserveOutcome.TokenLimit)]
    public async Task T72_T73_Over_a_limit_is_429_with_the_headers(ReserveOutcome outcome)
    {
        Tenant.Answer = new ReserveAnswer
        {
            Outcome = outcome,
            Requests = new RateLimitState(60, 0, 361_500),
            Tokens = new RateLimitState(1_000, 17, 250),
            RetryAfterMs = 1_200,
        };

        Answer answer = await _gateway.Chat(TestGateway.Body(), Acme);

        answer.Fails(429, "rate_limit_exceeded");
        Assert.Equal("2", answer.Header("retry-after"));
        Assert.Equal("1200", answer.Header("retry-after-ms"));
        Assert.Equal("60", answer.Header("x-ratelimit-limit-requests"));
        Assert.Equal("0", answer.Header("x-ratelimit-remaining-requests"));
        Assert.Equal("6m2s", answer.Header("x-ratelimit-reset-requests"));
        Assert.Equal("1000", answer.Header("x-ratelimit-limit-tokens"));
        Assert.Equal("17", answer.Header("x-ratelimit-remaining-tokens"));
        Assert.Equal("250ms", answer.Header("x-ratelimit-reset-tokens"));
        Assert.Empty(_gateway.Cluster.Settled);
    }

    [Fact]
    public async Task T73b_A_request_larger_than_the_whole_limit_is_not_told_to_wait()
    {
        Tenant.Answer = new ReserveAnswer { Outcome = ReserveOutcome.TokenLimit, Tokens = new RateLimitState(1_000, 1_000, 0) };

        Answer answer = await _gateway.Chat(TestGateway.Body(("max_tokens", 5_000)), Acme);

        answer.Fails(429, "rate_limit_exceeded");
        Assert.Equal("false", answer.Header("x-should-retry"));
        Assert.Null(answer.Header("retry-after"));
        Assert.Null(answer.Header("retry-after-ms"));
        string message = answer.Error.GetProperty("message").GetString()!;
        ReserveRequest asked = Assert.Single(Tenant.Reserved);
        Assert.Contains($"{asked.PromptTokens + asked.MaxNewTokens} tokens", message, StringComparison.Ordinal);
        Assert.Contains("1000 tokens per minute", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task T74_A_spent_budget_is_insufficient_quota_and_not_retried()
    {
        Tenant.Answer = new ReserveAnswer { Outcome = ReserveOutcome.BudgetSpent };

        Answer answer = await _gateway.Chat(TestGateway.Body(), Acme);

        answer.Fails(429, "insufficient_quota");
        Assert.Equal("false", answer.Header("x-should-retry"));
    }

    [Fact]
    public async Task Granted_requests_carry_the_limits_too()
    {
        Tenant.Answer = new ReserveAnswer { Outcome = ReserveOutcome.Granted, Requests = new RateLimitState(60, 59, 17), Weight = 2.5, Priority = TenantPriority.High, FloorRung = "int4", FloorNats = 0.5 };

        Answer answer = await _gateway.Chat(TestGateway.Body(("max_tokens", 5)), Acme);

        Assert.Equal("59", answer.Header("x-ratelimit-remaining-requests"));
        Assert.Null(answer.Header("x-ratelimit-limit-tokens"));
        GenerateRequest request = _gateway.Cluster.Requests.Single();
        Assert.Equal((2.5, TenantPriority.High, "int4", 0.5), (request.Weight, request.Priority, request.TenantFloorRung, request.TenantFloorNats));
        Assert.Equal(5, Tenant.Reserved.Single().MaxNewTokens);
    }

    [Theory]
    [InlineData(RefusalReason.SessionBusy, 409, "session_busy")]
    [InlineData(RefusalReason.ContextLength, 400, "context_length_exceeded")]
    [InlineData(RefusalReason.NeverFits, 422, "unprocessable")]
    [InlineData(RefusalReason.QueueFull, 503, "queue_full")]
    [InlineData(RefusalReason.Draining, 503, "draining")]
    [InlineData(RefusalReason.Unavailable, 503, "unavailable")]
    [InlineData(RefusalReason.ModelLoading, 503, "model_loading")]
    [InlineData(RefusalReason.Invalid, 400, "invalid_value")]
    public async Task T77_Every_refusal_of_a_worker_has_its_status_also_with_stream(RefusalReason reason, int status, string code)
    {
        _gateway.Cluster.Script = Scripts.Refuse(reason, retryAfterMs: status == 503 ? 250 : null);

        foreach (bool stream in (bool[])[false, true])
        {
            Answer answer = await _gateway.Chat(TestGateway.Body(("stream", stream)), Acme);
            answer.Fails(status, code);
            Assert.Equal(status == 503 ? "1" : status == 409 ? "1" : null, answer.Header("retry-after"));
            Assert.Equal(status == 503 ? "250" : status == 409 ? "1000" : null, answer.Header("retry-after-ms"));
        }
        Assert.All(_gateway.Cluster.Settled, usage => Assert.Equal((0, 0), (usage.PromptTokens, usage.GeneratedTokens)));
        Assert.Equal(2, _gateway.Cluster.Settled.Count);
    }

    [Fact]
    public async Task T77b_A_refusal_of_the_router_reaches_no_worker_and_gives_the_reservation_back()
    {
        _gateway.Cluster.Budget.Refusal = new Refusal { Reason = RefusalReason.NeverFits, Message = "Needs 9 bytes of 8." };

        (await _gateway.Chat(TestGateway.Body(), Acme)).Fails(422, "unprocessable");

        Assert.Empty(_gateway.Cluster.Requests);
        Assert.Equal(0, Assert.Single(_gateway.Cluster.Settled).PromptTokens);
    }

    [Fact]
    public async Task T78_A_draining_gateway_refuses_new_work_and_is_not_ready_but_alive()
    {
        _gateway.Services.GetRequiredService<DrainState>().Begin();

        Answer answer = await _gateway.Chat(TestGateway.Body(), Acme);

        answer.Fails(503, "draining");
        Assert.NotNull(answer.Header("retry-after"));
        Answer ready = await _gateway.Get("/readyz");
        Assert.Equal(503, ready.Status);
        Assert.Equal("draining", ready.Code);
        Assert.Equal(200, (await _gateway.Get("/livez")).Status);
    }

    [Fact]
    public async Task T79_The_request_id_is_echoed_or_made()
    {
        Assert.Equal("my-id.1", (await _gateway.Chat(TestGateway.Body(), Acme, ("x-request-id", "my-id.1"))).Header("x-request-id"));
        foreach (string bad in (string[])["has space", new('x', 129), "a/b"])
        {
            Assert.StartsWith("req_", (await _gateway.Chat(TestGateway.Body(), Acme, ("x-request-id", bad))).Header("x-request-id"), StringComparison.Ordinal);
        }
        Answer lost = await _gateway.Get("/nowhere");
        Assert.NotNull(lost.Header("x-request-id"));
        Assert.True(long.Parse(lost.Header("openai-processing-ms")!, System.Globalization.CultureInfo.InvariantCulture) >= 0);
        Assert.NotEqual(lost.Header("x-request-id"), (await _gateway.Get("/nowhere")).Header("x-request-id"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stop_ids_are_sent_once_each_and_at_most_128(bool ignoreEos)
    {
        JsonArray Ids(int count) => [.. Enumerable.Range(100, count).Concat(Enumerable.Range(100, count)).Select(id => (JsonNode)id)];

        Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(("stop_token_ids", Ids(128)), ("ignore_eos", ignoreEos)), Acme)).Status);
        (await _gateway.Chat(TestGateway.Body(("stop_token_ids", Ids(129)), ("ignore_eos", ignoreEos)), Acme)).Fails(400, "invalid_value", "stop_token_ids");

        int[] sent = _gateway.Cluster.Requests.Single().StopTokens;
        Assert.Equal(sent.Distinct(), sent);
        Assert.InRange(sent.Length, 128, GenerateRequest.MaxStopTokens);
    }

    [Fact]
    public async Task T81_The_second_identical_prompt_reports_cached_tokens()
    {
        Answer first = await _gateway.Chat(TestGateway.Body(), Acme);
        Answer second = await _gateway.Chat(TestGateway.Body(), Acme);

        Assert.Equal(0, first.CachedTokens);
        Assert.Equal(second.Usage.GetProperty("prompt_tokens").GetInt32() - 1, second.CachedTokens);
        Assert.Equal(second.CachedTokens, _gateway.Cluster.Settled.Last().CachedTokens);
    }

    [Fact]
    public async Task T82_Another_tenant_shares_nothing()
    {
        await _gateway.Chat(TestGateway.Body(("session_id", "s")), Acme);

        Assert.Equal(0, (await _gateway.Chat(TestGateway.Body(("session_id", "s")), Umbra)).CachedTokens);
        Assert.Equal(["acme/s", "umbra/s"], _gateway.Cluster.SequenceKeys.Order());
    }

    [Fact]
    public async Task T83_A_cache_salt_separates_within_a_tenant()
    {
        await _gateway.Chat(TestGateway.Body(("cache_salt", "a")), Acme);

        Assert.Equal(0, (await _gateway.Chat(TestGateway.Body(("cache_salt", "b")), Acme)).CachedTokens);
        Assert.Equal(0, (await _gateway.Chat(TestGateway.Body(), Acme)).CachedTokens);
        Assert.NotEqual(0, (await _gateway.Chat(TestGateway.Body(("cache_salt", "a")), Acme)).CachedTokens);
        Assert.Equal(HashOf("a"), _gateway.Cluster.Requests.First().CacheSalt);
    }

    [Fact]
    public async Task T84_A_cache_salt_has_1_to_1024_characters()
    {
        (await _gateway.Chat(TestGateway.Body(("cache_salt", new string('s', 1_025))), Acme)).Fails(400, "invalid_value", "cache_salt");
        Assert.Equal(200, (await _gateway.Chat(TestGateway.Body(("cache_salt", new string('s', 1_024))), Acme)).Status);
        Assert.Equal(GenerateRequest.MaxCacheSaltChars, _gateway.Cluster.Requests.Single().CacheSalt!.Length);
    }

    [Fact]
    public async Task A_session_comes_from_the_body_or_the_header_and_a_request_without_one_gets_its_own_key()
    {
        await _gateway.Chat(TestGateway.Body(("session_id", "from-body")), Acme, ("x-session-id", "from-header"));
        await _gateway.Chat(TestGateway.Body(), Acme, ("x-session-id", "from-header"));
        await _gateway.Chat(TestGateway.Body(), Acme);

        string[] keys = [.. _gateway.Cluster.SequenceKeys.Order(StringComparer.Ordinal)];
        Assert.Equal(["acme/from-body", "acme/from-header"], keys[..2]);
        Assert.StartsWith("acme/~chatcmpl-", keys[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Durations_are_written_as_OpenAI_does()
    {
        Assert.Equal("17ms", RateLimitHeaders.Duration(17));
        Assert.Equal("1s", RateLimitHeaders.Duration(1_000));
        Assert.Equal("6m0s", RateLimitHeaders.Duration(360_000));
    }

    private static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
