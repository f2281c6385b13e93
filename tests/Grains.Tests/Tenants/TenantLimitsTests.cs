using System.Security.Cryptography;
using System.Text;
using Concertina.Contracts.Tenants;
using Concertina.Grains.Tenants;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Tenants;

public sealed class TenantLimitsTests
{
    private static readonly byte[] Key = SHA256.HashData(Encoding.UTF8.GetBytes("sk-right"));
    private static readonly byte[] WrongKey = SHA256.HashData(Encoding.UTF8.GetBytes("sk-wrong"));
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Only_a_configured_key_passes()
    {
        TenantLimits limits = Limits(new TenantOptions());
        Assert.True(limits.IsKey(Key));
        Assert.False(limits.IsKey(WrongKey));
        Assert.False(limits.IsKey([]));
        Assert.Equal(ReserveOutcome.InvalidKey, limits.Reserve(Request("r") with { KeySha256 = WrongKey }).Outcome);
    }

    [Fact]
    public void Without_tenants_no_key_is_asked_for_and_a_tenant_that_is_not_configured_has_none()
    {
        Assert.True(new TenantLimits(null, keyless: true, new TenantState(), _time).IsKey([]));
        Assert.False(new TenantLimits(null, keyless: false, new TenantState(), _time).IsKey([]));
    }

    [Fact]
    public void A_model_outside_the_list_is_refused_and_costs_nothing()
    {
        TenantLimits limits = Limits(new TenantOptions { Models = ["small"], RequestsPerMinute = 1 });
        Assert.Equal(ReserveOutcome.ModelNotAllowed, limits.Reserve(Request("a") with { Model = "large" }).Outcome);
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("b") with { Model = "small" }).Outcome);
    }

    [Fact]
    public void The_request_limit_is_exact_and_says_when_to_come_back()
    {
        TenantLimits limits = Limits(new TenantOptions { RequestsPerMinute = 2 });
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("a")).Outcome);
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("b")).Outcome);

        ReserveAnswer refused = limits.Reserve(Request("c"));
        Assert.Equal(ReserveOutcome.RequestLimit, refused.Outcome);
        Assert.Equal(30_000, refused.RetryAfterMs);

        _time.Advance(TimeSpan.FromMilliseconds(refused.RetryAfterMs!.Value));
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("c")).Outcome);
    }

    [Fact]
    public void A_request_refused_for_its_tokens_does_not_use_up_a_request()
    {
        TenantLimits limits = Limits(new TenantOptions { RequestsPerMinute = 1, TokensPerMinute = 100 });
        Assert.Equal(ReserveOutcome.TokenLimit, limits.Reserve(Request("a", tokens: 101)).Outcome);
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("b", tokens: 100)).Outcome);
    }

    [Fact]
    public void Unused_tokens_come_back_when_the_request_is_settled()
    {
        TenantLimits limits = Limits(new TenantOptions { TokensPerMinute = 100 });
        limits.Reserve(Request("a", tokens: 100));

        Assert.True(limits.Settle(new UsageRecord("a", 10, 0, 5)));

        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("b", tokens: 85)).Outcome);
        Assert.Equal(ReserveOutcome.TokenLimit, limits.Reserve(Request("c", tokens: 1)).Outcome);
    }

    [Fact]
    public void Reserving_and_settling_twice_counts_once()
    {
        TenantLimits limits = Limits(new TenantOptions { RequestsPerMinute = 5, TokensPerMinute = 100 });
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("a", tokens: 60)).Outcome);
        Assert.Equal(ReserveOutcome.Granted, limits.Reserve(Request("a", tokens: 60)).Outcome);
        Assert.True(limits.Settle(new UsageRecord("a", 50, 20, 10)));
        Assert.False(limits.Settle(new UsageRecord("a", 50, 20, 10)));

        Assert.Equal((1, 50, 20, 10), (limits.Usage.Requests, limits.Usage.PromptTokens, limits.Usage.CachedTokens, limits.Usage.GeneratedTokens));
        Assert.Equal(39, limits.Reserve(Request("b", tokens: 1)).Tokens!.Remaining);
    }

    [Fact]
    public void A_repeated_settlement_after_a_restart_is_not_charged_again()
    {
        TenantLimits before = Limits(new TenantOptions());
        before.Reserve(Request("a", tokens: 60));
        before.Settle(new UsageRecord("a", 50, 0, 10));

        TenantLimits after = Limits(new TenantOptions(), before.Durable());

        Assert.False(after.Settle(new UsageRecord("a", 50, 0, 10)));
        Assert.Equal(60, after.Usage.SpentTokens);
    }

    [Fact]
    public void The_budget_counts_what_is_reserved_and_lasts_over_restarts()
    {
        TenantLimits before = Limits(new TenantOptions { TokenBudget = 100 });
        Assert.Equal(ReserveOutcome.Granted, before.Reserve(Request("a", tokens: 60)).Outcome);
        Assert.Equal(ReserveOutcome.BudgetSpent, before.Reserve(Request("b", tokens: 41)).Outcome);
        before.Settle(new UsageRecord("a", 50, 0, 30));

        TenantLimits after = Limits(new TenantOptions { TokenBudget = 100 }, before.Durable());

        Assert.Equal(ReserveOutcome.BudgetSpent, after.Reserve(Request("c", tokens: 21)).Outcome);
        Assert.Equal(ReserveOutcome.Granted, after.Reserve(Request("d", tokens: 20)).Outcome);
    }

    [Fact]
    public void A_stream_that_used_more_than_reserved_leaves_a_debt()
    {
        TenantLimits limits = Limits(new TenantOptions { TokensPerMinute = 60 });
        limits.Reserve(Request("a", tokens: 60));
        limits.Settle(new UsageRecord("a", 60, 0, 30));

        Assert.Equal(31_000, limits.Reserve(Request("b", tokens: 1)).RetryAfterMs);
    }

    [Fact]
    public void What_is_remembered_of_requests_is_bounded()
    {
        Reservations reservations = new(capacity: 100);
        for (int i = 0; i < 10_000; i++)
        {
            reservations.Open($"open-{i}", 1);
            reservations.Open($"settled-{i}", 1);
            reservations.Settle($"settled-{i}");
        }
        Assert.InRange(reservations.OpenTokens, 1, 100);
        Assert.Equal(100, reservations.Settled.Count);
        Assert.True(reservations.IsSettled("settled-9999"));
        Assert.False(reservations.IsSettled("settled-1"));
    }

    private static ReserveRequest Request(string id, int tokens = 1) =>
        new() { RequestId = id, KeySha256 = Key, Model = "small", PromptTokens = tokens, MaxNewTokens = 0 };

    private TenantLimits Limits(TenantOptions options, TenantState? state = null) =>
        new(options with { KeySha256 = [Convert.ToHexString(Key)] }, keyless: false, state ?? new TenantState(), _time);
}
