using System.Security.Cryptography;
using System.Text;
using Concertina.Contracts.Tenants;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Tests;

/// <summary>GET /admin/kv and /admin/tenants/{id}.</summary>
public sealed class AdminTests : IAsyncLifetime
{
    private static readonly (string, string) Operator = ("authorization", "Bearer sk-operator");
    private static readonly (string, string) Tenant = ("authorization", "Bearer sk-acme");
    private static readonly (string, string) TenantHash = ("Tenants:acme:KeySha256:0", Hash("sk-acme"));
    private TestGateway _gateway = null!;

    public static TheoryData<string> Paths => ["/admin/kv", "/admin/tenants/acme"];

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start(TenantHash, ("Admin:KeySha256", Hash("sk-operator")));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Only_the_operators_key_opens_a_path(string path)
    {
        (await _gateway.Get(path)).Fails(401, "invalid_api_key");
        (await _gateway.Get(path, Tenant)).Fails(401, "invalid_api_key");
        Assert.Equal(200, (await _gateway.Get(path, Operator)).Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Without_an_operators_key_there_is_no_such_path(string path)
    {
        await using TestGateway closed = await TestGateway.Start(TenantHash);

        (await closed.Get(path, Operator)).Fails(404, "path_not_found");
        (await closed.Get(path, Tenant)).Fails(404, "path_not_found");
        (await closed.Get(path)).Fails(404, "path_not_found");
    }

    [Fact]
    public async Task The_operators_key_is_no_tenants() => (await _gateway.Get("/v1/usage", Operator)).Fails(401, "invalid_api_key");

    [Fact]
    public async Task A_tenants_key_or_a_malformed_hash_as_the_operators_stops_the_start()
    {
        OptionsValidationException shared = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestGateway.Start(TenantHash, ("Admin:KeySha256", Hash("sk-acme").ToUpperInvariant())));
        OptionsValidationException malformed = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestGateway.Start(TenantHash, ("Admin:KeySha256", "sk-operator")));

        Assert.Contains("tenant 'acme'", shared.Message, StringComparison.Ordinal);
        Assert.Contains("64 hexadecimal digits", malformed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_is_shown_by_worker_with_its_pressure()
    {
        _gateway.Cluster.Budget.Load =
        [
            _gateway.Cluster.Budget.Load[0] with
            {
                BudgetBytes = 1_000,
                TranscodeReserveBytes = 200,
                CommittedBytes = 700,
                UsedBytes = 600,
                Running = 2,
                Queued = 1,
            },
        ];

        Answer answer = await _gateway.Get("/admin/kv", Operator);

        Assert.Equal(
            """
            {"object":"list","data":[{"object":"kv.worker","id":"silo/cpu0","model":"demo","epoch":3,"accepting":true,"stalled_stage":null,
            "budget_bytes":1000,"reserve_bytes":200,"committed_bytes":700,"used_bytes":600,"pressure":0.75,"running":2,"queued":1,"queue_limit":256}]}
            """.ReplaceLineEndings(""),
            answer.Body);
    }

    [Fact]
    public async Task A_tenants_usage_is_shown_and_an_unknown_tenant_is_404()
    {
        _gateway.Cluster.Tenant("acme").Used = new TenantUsage { Requests = 3, PromptTokens = 5, CachedTokens = 0, GeneratedTokens = 2, ReservedTokens = 0 };

        Assert.Equal(3, (await _gateway.Get("/admin/tenants/acme", Operator)).Json.GetProperty("requests").GetInt64());
        (await _gateway.Get("/admin/tenants/nobody", Operator)).Fails(404, "tenant_not_found");
        (await _gateway.Get("/admin/tenants/default", Operator)).Fails(404, "tenant_not_found");
    }

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
