using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Gives the facts and the tokenizer of the demo model.</summary>
internal sealed class FakeWorker(FakeCluster cluster, string key) : IWorkerGrain
{
    private const int PartBytes = 44 << 10;

    public Task<ModelFacts?> Facts(CancellationToken cancellation = default) => Task.FromResult(cluster.Facts);

    public Task<KvLadder?> Ladder(CancellationToken cancellation = default) =>
        cluster.LadderFault is { } fault ? Task.FromException<KvLadder?>(fault) : Task.FromResult(cluster.Ladder);

    public Task<byte[]> TokenizerPart(string modelHash, int offset, CancellationToken cancellation = default)
    {
        Assert.Equal(cluster.Facts!.Hash, modelHash);
        int count = Math.Min(PartBytes, Demo.TokenizerBytes.Length - offset);
        return Task.FromResult(Demo.TokenizerBytes.AsSpan(offset, count).ToArray());
    }

    public Task<WorkerLoad> Load(CancellationToken cancellation = default) => Task.FromResult(cluster.Budget.Load[0]);

    public Task<WorkerMemory> Memory(CancellationToken cancellation = default) =>
        Task.FromResult(cluster.Budget.Memory(key));

    public Task<SessionPage> Sessions(SessionQuery query, CancellationToken cancellation = default)
    {
        HeldSession[] held =
        [
            .. cluster.Budget.Held.Where(session => string.CompareOrdinal(session.SequenceKey, query.After) > 0
                && (query.TenantId is null || session.SequenceKey.StartsWith(query.TenantId + "/", StringComparison.Ordinal))),
        ];
        return Task.FromResult(new SessionPage([.. held.Take(query.Limit)], held.Length > query.Limit));
    }

    public Task<BudgetChange> ChangeBudget(long budgetBytes, CancellationToken cancellation = default)
    {
        cluster.Budget.Asked.Add((key, budgetBytes));
        return Task.FromResult(cluster.Budget.Memory(key).Budget! with { TargetBytes = budgetBytes, Hold = "Squeezing" });
    }

    public Task<long> Assign(RungAssignments assignments, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Drain(CancellationToken cancellation = default) => throw new NotSupportedException();
}
