using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Gives the facts and the tokenizer of the demo model.</summary>
internal sealed class FakeWorker(FakeCluster cluster) : IWorkerGrain
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

    public Task<long> Assign(RungAssignments assignments, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task Drain(CancellationToken cancellation = default) => throw new NotSupportedException();
}
