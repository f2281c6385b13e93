using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Gateway.Tests.Kit;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Tests;

/// <summary>GET /admin/kv and /admin/tenants/{id}.</summary>
public sealed class AdminTests : IAsyncLifetime
{
    private static readonly (string, string) Operator = ("authorization", "Bearer sk-operator");
    private static readonly (string, string) Tenant = ("authorization", "Bearer sk-acme");
    private static readonly (string, string) TenantHash = ("Tenants:acme:KeySha256:0", KeyHash.Of("sk-acme"));
    private TestGateway _gateway = null!;

    public static TheoryData<string> Paths => ["/admin/kv", "/admin/sessions", "/admin/tenants/acme"];

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.Start(TenantHash, ("Admin:KeySha256", KeyHash.Of("sk-operator")));

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
            () => TestGateway.Start(TenantHash, ("Admin:KeySha256", KeyHash.Of("sk-acme").ToUpperInvariant())));
        OptionsValidationException malformed = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestGateway.Start(TenantHash, ("Admin:KeySha256", "sk-operator")));

        Assert.Contains("tenant 'acme'", shared.Message, StringComparison.Ordinal);
        Assert.Contains("64 hexadecimal digits", malformed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_is_shown_by_worker_and_rung_with_its_pressure()
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
        _gateway.Cluster.Budget.Details = new WorkerMemory
        {
            Load = null!,
            Rungs = [new RungMemory("f16", 300, 2, 1), new RungMemory("int4", 100, 0, 1)],
            Budget = new BudgetChange { TargetBytes = 900, ActualBytes = 1_000, Hold = "Commitments", PromisedBytes = 700 },
            Pressure = 0.75,
            FragmentedBytes = 50,
            PrefixBytes = 30,
            ReclaimableBytes = 20,
            SessionBytes = 200,
            LosslessBytes = 500,
            UndoBacklog = 1,
            UndoBacklogTokens = 640,
            Idle = 1,
            GeneratedTokens = 9,
            PrefilledTokens = 8,
            TranscodedUnits = 7,
            ReclaimedBytes = 6,
            Refused = 5,
            PromisableBytes = 800,
            HighWatermark = 0.9,
            LowWatermark = 0.8,
            MemorySessions = 3,
            DiskBytes = 4_000,
            DiskSessions = 12,
            SpilledSessions = 13,
            RestoredSessions = 11,
            SpillReserveBytes = 16,
        };

        Answer answer = await _gateway.Get("/admin/kv", Operator);

        Assert.Equal(
            """
            {"object":"list","data":[{"object":"kv.worker","id":"silo/cpu0","model":"demo","epoch":3,"accepting":true,"stalled_stage":null,
            "budget_bytes":1000,"target_bytes":900,"budget_hold":"commitments","promisable_bytes":800,"committed_bytes":700,"used_bytes":600,
            "fragmented_bytes":50,"prefix_bytes":30,"reclaimable_bytes":20,"session_bytes":200,"lossless_bytes":500,"pressure":0.75,"high_watermark":0.9,"low_watermark":0.8,
            "tiers":[{"tier":"memory","bytes":600,"sessions":3},{"tier":"disk","bytes":4000,"sessions":12}],"spill_reserve_bytes":16,
            "rungs":[{"rung":"f16","bytes":300,"sessions":2,"planned":1},{"rung":"int4","bytes":100,"sessions":0,"planned":1}],
            "undo_backlog":1,"undo_backlog_tokens":640,"running":2,"idle":1,"queued":1,"queue_limit":256,
            "totals":{"generated_tokens":9,"prefilled_tokens":8,"transcoded_units":7,"reclaimed_bytes":6,"refused":5,"floor_violations":0,
            "spilled_sessions":13,"restored_sessions":11}}]}
            """.ReplaceLineEndings(""),
            answer.Body);
    }

    [Fact]
    public async Task Sessions_of_all_tenants_are_shown_in_pages()
    {
        _gateway.Cluster.Budget.Held = [HeldSessions.Held("acme/a"), HeldSessions.Held("acme/b"), HeldSessions.Held("other/c") with { Running = false }, HeldSessions.Resting("other/d", 700)];

        Answer first = await _gateway.Get("/admin/sessions?limit=2", Operator);
        Answer rest = await _gateway.Get("/admin/sessions?limit=2&after=acme/b", Operator);

        Assert.Equal(["acme/a", "acme/b"], first.Json.GetProperty("data").EnumerateArray().Select(session => session.GetProperty("id").GetString()));
        Assert.True(first.Json.GetProperty("has_more").GetBoolean());
        Assert.Equal(
            """
            {"object":"list","data":[{"object":"kv.session","id":"other/c","tenant":"other","worker":"silo/cpu0","state":"idle","tokens":640,
            "kv_bytes":1000,"disk_bytes":0,"ratio":3.5,"exact":false,"rung":"int4","target":"commvq2","floor":"commvq2"},
            {"object":"kv.session","id":"other/d","tenant":"other","worker":"silo/cpu0","state":"resting","tokens":0,
            "kv_bytes":0,"disk_bytes":700,"ratio":null,"exact":null,"rung":null,"target":null,"floor":null}],"has_more":false}
            """.ReplaceLineEndings(""),
            rest.Body);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=101")]
    [InlineData("limit=-1")]
    [InlineData("limit=a")]
    public async Task A_page_has_1_to_100_entries(string query) => (await _gateway.Get($"/admin/sessions?{query}", Operator)).Fails(400, "invalid_value", "limit");

    [Fact]
    public async Task A_tenants_usage_is_shown_and_an_unknown_tenant_is_404()
    {
        _gateway.Cluster.Tenant("acme").Used = new TenantUsage { Requests = 3, PromptTokens = 5, CachedTokens = 0, GeneratedTokens = 2, ReservedTokens = 0 };

        Assert.Equal(3, (await _gateway.Get("/admin/tenants/acme", Operator)).Json.GetProperty("requests").GetInt64());
        (await _gateway.Get("/admin/tenants/nobody", Operator)).Fails(404, "tenant_not_found");
        (await _gateway.Get("/admin/tenants/default", Operator)).Fails(404, "tenant_not_found");
    }
}
