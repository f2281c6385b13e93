using Concertina.Contracts.Tenants;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>A tenant that grants unless told otherwise.</summary>
internal sealed class FakeTenant(FakeCluster cluster, string id) : ITenantGrain
{
    /// <summary>The answer to every reservation.</summary>
    public ReserveAnswer Answer { get; set; } = new() { Outcome = ReserveOutcome.Granted };

    /// <summary>Models of the key; null: all.</summary>
    public string[]? Models { get; set; }

    /// <summary>What it has used so far.</summary>
    public TenantUsage Used { get; set; } = new() { Requests = 0, PromptTokens = 0, CachedTokens = 0, GeneratedTokens = 0, ReservedTokens = 0 };

    /// <summary>What holds for it.</summary>
    public TenantSettings Holds { get; set; } = new()
    {
        Weight = 1,
        Priority = TenantPriority.Normal,
        DefaultFloor = null,
        RequestsPerMinute = null,
        TokensPerMinute = null,
        TokenBudget = null,
        SetAtRunTime = [],
        Configured = [],
    };

    /// <summary>What is wrong with every change; null: nothing.</summary>
    public (string Field, string Problem)? Wrong { get; set; }

    /// <summary>Changes asked for.</summary>
    public List<TenantChange> Changes { get; } = [];

    /// <summary>Set: the grain fails.</summary>
    public Exception? Failure { get; set; }

    /// <summary>True: reservations are taken, but the answer never comes.</summary>
    public bool Mute { get; set; }

    /// <summary>Reservations asked for.</summary>
    public List<ReserveRequest> Reserved { get; } = [];

    public async Task<ReserveAnswer> Reserve(ReserveRequest request, CancellationToken cancellation = default)
    {
        if (Failure is not null)
        {
            throw Failure;
        }
        lock (Reserved)
        {
            Reserved.Add(request);
        }
        if (Mute)
        {
            cluster.Started.Raise("reserve");
            await new TaskCompletionSource().Task;
        }
        return Models is not null && !Models.Contains(request.Model)
            ? new ReserveAnswer { Outcome = ReserveOutcome.ModelNotAllowed }
            : Answer;
    }

    public Task Settle(UsageRecord usage, CancellationToken cancellation = default)
    {
        cluster.Settled.Enqueue(usage);
        cluster.SettledIds.Raise(usage.RequestId);
        cluster.SettledIds.Raise("any");
        return Task.CompletedTask;
    }

    public Task<TenantFacts?> Authorize(byte[] keySha256, CancellationToken cancellation = default) =>
        Task.FromResult<TenantFacts?>(new TenantFacts(id, Models));

    public Task Charge(KvCharge charge, CancellationToken cancellation = default) => Task.CompletedTask;

    public Task<TenantSettings> Settings(CancellationToken cancellation = default) => Task.FromResult(Holds);

    public Task<TenantChangeAnswer> Change(TenantChange change, CancellationToken cancellation = default)
    {
        Changes.Add(change);
        return Failure is null
            ? Task.FromResult(new TenantChangeAnswer { Settings = Holds, Field = Wrong?.Field, Problem = Wrong?.Problem })
            : Task.FromException<TenantChangeAnswer>(Failure);
    }

    public Task<TenantUsage> Usage(CancellationToken cancellation = default) =>
        Failure is null ? Task.FromResult(Used) : Task.FromException<TenantUsage>(Failure);
}
