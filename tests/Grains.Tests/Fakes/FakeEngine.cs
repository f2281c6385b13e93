using System.Collections.Concurrent;
using System.Threading.Channels;
using Concertina.Compute.Allocation;
using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;

namespace Concertina.Grains.Tests.Fakes;

/// <summary>An engine whose tokens the test sends. It keeps the rules of handles: one generation at a time, tokens after its end.</summary>
internal sealed class FakeEngine : IInferenceEngine
{
    private readonly ConcurrentDictionary<FakeHandle, bool> _open = new();
    private bool _draining;

    public int Opened { get; private set; }

    public IReadOnlyCollection<FakeHandle> OpenHandles => [.. _open.Keys];

    /// <summary>What the next submissions are refused with; null: accepted.</summary>
    public EngineRefusal? Refusal { get; set; }

    public string? StalledStage { get; set; }

    /// <summary>Two rungs: what they measure is made up.</summary>
    public IReadOnlyList<KvRungFacts> Ladder { get; set; } =
    [
        new KvRungFacts { Name = "f16", Bits = 16, Ratio = 1, BytesPerToken = 4096, MeanKl = 0, P99Kl = 0 },
        new KvRungFacts { Name = "int4", Bits = 4.5, Ratio = 3.4, BytesPerToken = 1205, MeanKl = 0.004, P99Kl = 0.05, Recall = 0.97 },
    ];

    /// <summary>What the rungs cost; null: nothing is planned.</summary>
    public PlanLadder? Curve { get; set; }

    /// <summary>What tenants hold and have held.</summary>
    public TenantKv[] Held { get; set; } = [];

    public IReadOnlyList<TenantKv> Tenants() => Held;

    public long BudgetBytes { get; set; } = 1 << 30;

    private readonly Channel<FakeGeneration> _submitted = Channel.CreateUnbounded<FakeGeneration>();

    public FakeHandle TheHandle => Assert.Single(OpenHandles);

    public EngineSnapshot Snapshot => new()
    {
        Steps = 0,
        GeneratedTokens = 0,
        PrefilledTokens = 0,
        Running = _open.Keys.Count(handle => handle.Busy),
        Queued = 0,
        IdleSequences = 0,
        CommittedBytes = 0,
        Refused = [],
        MemoryWaits = 0,
        Kv = new KvCacheStatistics(BudgetBytes, _open.Keys.Sum(handle => handle.KvBytes), 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Budget = new KvBudgetState(Budgets[^1], Budgets[^1], KvBudgetHold.None, 0) { LeastBytes = LeastBudgetBytes, MostBytes = 1 << 30 },
        BytesByRung = [.. Ladder.Select((_, rung) => 100L * rung)],
        Draining = _draining,
        StalledStage = StalledStage,
    };

    /// <summary>The next generation that is submitted.</summary>
    public Task<FakeGeneration> NextSubmission() => _submitted.Reader.ReadAsync().AsTask();

    /// <summary>Budgets that were asked for; the last one holds.</summary>
    public List<long> Budgets { get; } = [1 << 30];

    /// <summary>The least budget it takes.</summary>
    public long LeastBudgetBytes { get; set; }

    public Task<KvBudgetState> ChangeBudgetAsync(long budgetBytes)
    {
        if (budgetBytes < LeastBudgetBytes)
        {
            return Task.FromException<KvBudgetState>(new ArgumentException($"{budgetBytes} bytes are too small."));
        }
        Budgets.Add(budgetBytes);
        return Task.FromResult(Snapshot.Budget);
    }

    public SequenceHandle Open(in SequenceIdentity identity)
    {
        Opened++;
        FakeHandle handle = new(this, identity);
        _open[handle] = true;
        return handle;
    }

    public IReadOnlyList<SequenceSnapshot> Sequences() =>
    [
        .. _open.Keys.Where(handle => handle.WarmTokens > 0).Select(
            handle => new SequenceSnapshot(handle.Identity.Key, handle.WarmTokens, handle.KvBytes, handle.Busy, handle.Rung) { Floor = Ladder[^1].Name, MayRise = true }),
    ];

    /// <summary>What was assigned and taken, in order.</summary>
    public ConcurrentQueue<(string SequenceKey, string Rung)> Assigned { get; } = new();

    public bool Assign(string sequenceKey, string rung)
    {
        FakeHandle? handle = _open.Keys.FirstOrDefault(handle => handle.Identity.Key == sequenceKey);
        if (handle is null || Ladder.All(known => known.Name != rung))
        {
            return false;
        }
        handle.MoveTo(rung);
        Assigned.Enqueue((sequenceKey, rung));
        return true;
    }

    public void Drain() => _draining = true;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal void Close(FakeHandle handle) => _open.TryRemove(handle, out _);

    internal SubmitResult Submit(FakeHandle handle, GenerationSpec spec)
    {
        if (Refusal is { } refusal)
        {
            return new SubmitResult(null, refusal);
        }
        if (_draining)
        {
            return new SubmitResult(null, new EngineRefusal(RefusalKind.Draining, "The engine drains.", 1000));
        }
        FakeGeneration generation = new(handle, spec);
        _submitted.Writer.TryWrite(generation);
        return new SubmitResult(generation, null);
    }
}
