using System.Security.Cryptography;
using System.Text;
using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;
using Concertina.Grains.Tests.Fakes;

namespace Concertina.Grains.Tests.Tenants;

public sealed class TenantGrainTests
{
    private static readonly byte[] Key = SHA256.HashData(Encoding.UTF8.GetBytes("sk-me"));

    [Fact]
    public async Task Usage_is_durable_a_second_after_it_was_settled_and_survives_the_process()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { TokenBudget = 100 }));
        ITenantGrain tenant = silo.Grains.GetGrain<ITenantGrain>("me");
        Assert.Equal(ReserveOutcome.Granted, (await tenant.Reserve(Request("a", 90))).Outcome);
        await tenant.Settle(new UsageRecord("a", 80, 0, 10));
        silo.Time.Advance(TimeSpan.FromSeconds(1));

        await silo.Restart();

        tenant = silo.Grains.GetGrain<ITenantGrain>("me");
        Assert.Equal(ReserveOutcome.BudgetSpent, (await tenant.Reserve(Request("b", 11))).Outcome);
        await tenant.Settle(new UsageRecord("a", 80, 0, 10));
        Assert.Equal(ReserveOutcome.Granted, (await tenant.Reserve(Request("c", 10))).Outcome);
    }

    [Fact]
    public async Task Usage_says_what_was_used_what_is_reserved_and_when_also_after_a_restart()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { TokenBudget = 1_000 }));
        ITenantGrain tenant = silo.Grains.GetGrain<ITenantGrain>("me");
        await tenant.Reserve(Request("a", 90));
        await tenant.Reserve(Request("b", 30));
        await tenant.Settle(new UsageRecord("a", 80, 64, 10));
        await tenant.Settle(new UsageRecord("a", 80, 64, 10));

        TenantUsage usage = await tenant.Usage();

        Assert.Equal((1, 80, 64, 10, 30, 1_000L), (usage.Requests, usage.PromptTokens, usage.CachedTokens, usage.GeneratedTokens, usage.ReservedTokens, usage.TokenBudget));
        Assert.Equal(90, Assert.Single(usage.Hours).PromptTokens + usage.Hours[0].GeneratedTokens);
        silo.Time.Advance(TimeSpan.FromSeconds(1));
        await silo.Restart();
        Assert.Equal(usage.Hours, (await silo.Grains.GetGrain<ITenantGrain>("me").Usage()).Hours);
    }

    [Fact]
    public async Task Many_gateways_at_once_never_get_more_than_the_limit()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { RequestsPerMinute = 50 }));
        ReserveAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(index =>
            silo.Grains.GetGrain<ITenantGrain>("me").Reserve(Request($"r{index}", 1))));
        Assert.Equal(50, answers.Count(answer => answer.Outcome == ReserveOutcome.Granted));
        Assert.All(answers, answer => Assert.True(answer.Outcome is ReserveOutcome.Granted or ReserveOutcome.RequestLimit));
    }

    [Fact]
    public async Task Authorize_knows_the_tenants_keys_and_models()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { Models = ["demo"] }));
        ITenantGrain tenant = silo.Grains.GetGrain<ITenantGrain>("me");
        TenantFacts facts = (await tenant.Authorize(Key))!;
        Assert.Equal(("me", "demo"), (facts.TenantId, Assert.Single(facts.Models!)));
        Assert.Null(await tenant.Authorize(new byte[32]));
        Assert.Null(await silo.Grains.GetGrain<ITenantGrain>("default").Authorize([]));
    }

    [Fact]
    public async Task Without_tenants_everyone_is_the_default_tenant()
    {
        await using TestSilo silo = await TestSilo.Start();
        Assert.NotNull(await silo.Grains.GetGrain<ITenantGrain>("default").Authorize([]));
        Assert.Null(await silo.Grains.GetGrain<ITenantGrain>("other").Authorize([]));
    }

    private static TenantsOptions With(TenantOptions options) => new()
    {
        ById = new Dictionary<string, TenantOptions> { ["me"] = options with { KeySha256 = [Convert.ToHexString(Key)] } },
    };

    private static ReserveRequest Request(string id, int tokens) =>
        new() { RequestId = id, KeySha256 = Key, Model = "demo", PromptTokens = tokens, MaxNewTokens = 0 };
}
