using System.Security.Cryptography;
using Concertina.Contracts.Tenants;

namespace Concertina.Grains.Tenants;

/// <summary>One tenant's rules applied to requests, and its usage. One thread at a time.</summary>
internal sealed class TenantLimits
{
    private const int RememberedRequests = 8192;
    private const int DurableRequests = 256;
    private readonly TenantOptions _configured;
    private readonly bool _keyless;
    private readonly TimeProvider _time;
    private TenantRules _rules;
    private RateLimit? _requests;
    private RateLimit? _tokens;
    private readonly byte[][] _keys;
    private readonly Reservations _reservations = new(RememberedRequests);

    /// <summary>Applies a tenant's options.</summary>
    /// <param name="options">The tenant's options; null: not configured.</param>
    /// <param name="keyless">True: no key is asked for.</param>
    /// <param name="state">Usage so far.</param>
    /// <param name="time">Clock of the limits.</param>
    public TenantLimits(TenantOptions? options, bool keyless, TenantState state, TimeProvider time)
    {
        _configured = options ?? new TenantOptions();
        _keyless = keyless;
        _time = time;
        _rules = new TenantRules(_configured, state.Overrides ?? new TenantOverrides());
        Apply();
        _keys = [.. _configured.KeySha256.Select(Convert.FromHexString)];
        Usage = state;
        foreach (string requestId in state.RecentRequests)
        {
            _reservations.Settle(requestId);
        }
    }

    /// <summary>Usage so far; what is durable.</summary>
    public TenantState Usage { get; private set; }

    /// <summary>Models the tenant may use; null: all.</summary>
    public string[]? Models => _configured.Models;

    /// <summary>What holds now, and where it comes from.</summary>
    public TenantSettings Settings => _rules.Settings();

    /// <summary>Changes what holds, or nothing when a value cannot be.</summary>
    public (string Field, string Problem)? Change(TenantChange change)
    {
        TenantOverrides overrides = TenantRules.Merge(Usage.Overrides ?? new TenantOverrides(), change);
        TenantRules rules = new(_configured, overrides);
        if (rules.Problem() is { } problem)
        {
            return problem;
        }
        _rules = rules;
        Usage = Usage with { Overrides = overrides == new TenantOverrides() ? null : overrides };
        Apply();
        return null;
    }

    /// <summary>Whether a key is one of the tenant's. Takes the same time whichever key matches.</summary>
    public bool IsKey(ReadOnlySpan<byte> keySha256)
    {
        bool match = _keyless;
        foreach (byte[] key in _keys)
        {
            match |= CryptographicOperations.FixedTimeEquals(key, keySha256);
        }
        return match;
    }

    /// <summary>Checks a request against the rules and reserves its tokens. Repeating a granted one changes nothing.</summary>
    public ReserveAnswer Reserve(ReserveRequest request)
    {
        if (!IsKey(request.KeySha256))
        {
            return Answer(ReserveOutcome.InvalidKey, null);
        }
        if (Models is { } models && !models.Contains(request.Model, StringComparer.Ordinal))
        {
            return Answer(ReserveOutcome.ModelNotAllowed, null);
        }
        if (_reservations.IsKnown(request.RequestId))
        {
            return Answer(ReserveOutcome.Granted, null);
        }
        long tokens = (long)request.PromptTokens + request.MaxNewTokens;
        if (_rules.Now.TokenBudget is { } budget && Usage.SpentTokens + _reservations.OpenTokens + tokens > budget)
        {
            return Answer(ReserveOutcome.BudgetSpent, null);
        }
        if (_requests is not null && _requests.WaitMs(1) is var requestWait and not 0)
        {
            return Answer(ReserveOutcome.RequestLimit, requestWait);
        }
        if (_tokens is not null && _tokens.WaitMs(tokens) is var tokenWait and not 0)
        {
            return Answer(ReserveOutcome.TokenLimit, tokenWait);
        }
        _requests?.Take(1);
        _tokens?.Take(tokens);
        _reservations.Open(request.RequestId, tokens);
        return Answer(ReserveOutcome.Granted, null);
    }

    /// <summary>Corrects a reservation to what was used. An admitted stream is never cut, so the bucket may end below zero.</summary>
    /// <returns>False when the request was settled before; nothing has changed then.</returns>
    public bool Settle(UsageRecord usage)
    {
        if (_reservations.IsSettled(usage.RequestId))
        {
            return false;
        }
        long used = (long)usage.PromptTokens + usage.GeneratedTokens;
        long reserved = _reservations.Settle(usage.RequestId);
        _tokens?.Correct(reserved - used);
        Usage = Usage with
        {
            Requests = Usage.Requests + 1,
            PromptTokens = Usage.PromptTokens + usage.PromptTokens,
            CachedTokens = Usage.CachedTokens + usage.CachedTokens,
            GeneratedTokens = Usage.GeneratedTokens + usage.GeneratedTokens,
            Hours = UsageHours.Add(Usage.Hours, usage, _time.GetUtcNow()),
        };
        return true;
    }

    /// <summary>Takes up what sessions hold on one worker.</summary>
    /// <returns>False when nothing of it is new.</returns>
    public bool Charge(KvCharge charge)
    {
        (double byteSeconds, KvCharge[] known) = KvCharges.Take(Usage.KvCharges, charge);
        Usage = Usage with { KvByteSeconds = Usage.KvByteSeconds + byteSeconds, KvCharges = known };
        return byteSeconds > 0;
    }

    /// <summary>Usage with the request ids to remember across a restart.</summary>
    public TenantState Durable() => Usage with { RecentRequests = [.. _reservations.Settled.TakeLast(DurableRequests)] };

    /// <summary>Usage so far, as the tenant may see it.</summary>
    public TenantUsage Report() => new()
    {
        Requests = Usage.Requests,
        PromptTokens = Usage.PromptTokens,
        CachedTokens = Usage.CachedTokens,
        GeneratedTokens = Usage.GeneratedTokens,
        ReservedTokens = _reservations.OpenTokens,
        TokenBudget = _rules.Now.TokenBudget,
        Hours = Usage.Hours,
        KvByteSeconds = Usage.KvByteSeconds,
    };

    private ReserveAnswer Answer(ReserveOutcome outcome, int? retryAfterMs) => new()
    {
        Outcome = outcome,
        Requests = _requests?.State(),
        Tokens = _tokens?.State(),
        RetryAfterMs = retryAfterMs,
        Weight = _rules.Now.Weight,
        Priority = _rules.Now.Priority,
        FloorRung = FloorText.Rung(_rules.Now.DefaultFloor),
        FloorNats = FloorText.Nats(_rules.Now.DefaultFloor),
    };

    private void Apply()
    {
        _requests = Limit(_requests, _rules.Now.RequestsPerMinute);
        _tokens = Limit(_tokens, _rules.Now.TokensPerMinute);
    }

    private RateLimit? Limit(RateLimit? before, long? perMinute) =>
        perMinute is not { } limit ? null
        : before is null ? new RateLimit(limit, _time)
        : before.PerMinute == limit ? before
        : before.Changed(limit);
}
