using System.Security.Cryptography;
using System.Text;
using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;
using Concertina.Grains.Tests.Fakes;

namespace Concertina.Grains.Tests.Tenants;

/// <summary>What the operator sets at run time holds over the configuration, from the next request on and over restarts.</summary>
public sealed class TenantChangeTests
{
    private static readonly byte[] Key = SHA256.HashData(Encoding.UTF8.GetBytes("sk-me"));

    [Fact]
    public async Task A_change_holds_from_the_next_request_on_and_survives_the_process()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { Weight = 2, TokenBudget = 1_000, DefaultFloor = "int8" }));
        await Change(silo, new TenantOverrides { Weight = 5, Priority = TenantPriority.High, DefaultFloor = "0.25", TokenBudget = 50 });

        await AssertHolds("a");
        await silo.Restart();
        await AssertHolds("b");

        async Task AssertHolds(string request)
        {
            ITenantGrain tenant = silo.Grains.GetGrain<ITenantGrain>("me");
            Assert.Equal(ReserveOutcome.BudgetSpent, (await tenant.Reserve(Request($"{request}-large", 51))).Outcome);
            ReserveAnswer answer = await tenant.Reserve(Request(request, 1));
            Assert.Equal((5, TenantPriority.High, null, 0.25), (answer.Weight, answer.Priority, answer.FloorRung, answer.FloorNats));
            TenantSettings settings = await tenant.Settings();
            Assert.Equal(["weight", "priority", "default_floor", "token_budget"], settings.SetAtRunTime);
            Assert.Equal(["weight", "default_floor", "token_budget"], settings.Configured);
        }
    }

    [Fact]
    public async Task What_is_reset_goes_back_to_the_configuration_and_the_rest_stays()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { Weight = 2, RequestsPerMinute = 1 }));
        await Change(silo, new TenantOverrides { Weight = 5, RequestsPerMinute = TenantOverrides.NoLimit, DefaultFloor = "int4" });
        Assert.Null((await silo.Grains.GetGrain<ITenantGrain>("me").Settings()).RequestsPerMinute);

        TenantSettings settings = await Change(silo, new TenantOverrides { Priority = TenantPriority.Low }, TenantFields.Weight, TenantFields.RequestsPerMinute);

        Assert.Equal((2, 1L, "int4", TenantPriority.Low), (settings.Weight, settings.RequestsPerMinute, settings.DefaultFloor, settings.Priority));
        Assert.Equal(["priority", "default_floor"], settings.SetAtRunTime);
        await silo.Restart();
        Assert.Equal(2, (await silo.Grains.GetGrain<ITenantGrain>("me").Settings()).Weight);
    }

    [Theory]
    [InlineData(0.0, null, null, "weight")]
    [InlineData(null, 2_000_000_000L, null, "requests_per_minute")]
    [InlineData(null, null, "Int 4", "default_floor")]
    public async Task A_value_that_cannot_be_changes_nothing(double? weight, long? requests, string? floor, string field)
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { Weight = 2 }));
        TenantOverrides set = new() { Weight = weight, RequestsPerMinute = requests, DefaultFloor = floor, Priority = TenantPriority.High };

        TenantChangeAnswer answer = await silo.Grains.GetGrain<ITenantGrain>("me").Change(new TenantChange(set, []));

        Assert.Equal(field, answer.Field);
        Assert.Contains($"'{field}' is ", answer.Problem, StringComparison.Ordinal);
        Assert.Empty(answer.Settings.SetAtRunTime);
        Assert.Equal(TenantPriority.Normal, (await silo.Grains.GetGrain<ITenantGrain>("me").Reserve(Request("a", 1))).Priority);
    }

    [Fact]
    public async Task A_smaller_rate_counts_what_the_minute_has_seen_already()
    {
        await using TestSilo silo = await TestSilo.Start(With(new TenantOptions { RequestsPerMinute = 10 }));
        ITenantGrain tenant = silo.Grains.GetGrain<ITenantGrain>("me");
        for (int i = 0; i < 4; i++)
        {
            await tenant.Reserve(Request($"r{i}", 1));
        }

        await Change(silo, new TenantOverrides { RequestsPerMinute = 5 });

        Assert.Equal(ReserveOutcome.Granted, (await tenant.Reserve(Request("fits", 1))).Outcome);
        Assert.Equal(ReserveOutcome.RequestLimit, (await tenant.Reserve(Request("over", 1))).Outcome);
    }

    [Fact]
    public void A_floor_is_a_rung_or_a_number()
    {
        Assert.Equal(("int4+evict4", null), (FloorText.Rung("int4+evict4"), FloorText.Nats("int4+evict4")));
        Assert.Equal((null, 1e-3), (FloorText.Rung("1E-3"), FloorText.Nats("1E-3")));
        Assert.Equal((null, null), (FloorText.Rung(null), FloorText.Nats("")));
        Assert.Null(FloorText.Nats("nan")); // a name, whatever a parser of numbers would make of it
    }

    private static async Task<TenantSettings> Change(TestSilo silo, TenantOverrides set, params string[] reset)
    {
        TenantChangeAnswer answer = await silo.Grains.GetGrain<ITenantGrain>("me").Change(new TenantChange(set, reset));
        Assert.Null(answer.Problem);
        return answer.Settings;
    }

    private static TenantsOptions With(TenantOptions options) => new()
    {
        ById = new Dictionary<string, TenantOptions> { ["me"] = options with { KeySha256 = [Convert.ToHexString(Key)] } },
    };

    private static ReserveRequest Request(string id, int tokens) =>
        new() { RequestId = id, KeySha256 = Key, Model = "demo", PromptTokens = tokens, MaxNewTokens = 0 };
}
