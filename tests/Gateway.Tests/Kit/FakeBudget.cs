using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Routes everything to one worker unless told otherwise.</summary>
internal sealed class FakeBudget(FakeCluster cluster) : IMemoryBudgetGrain
{
    public const string Worker = "silo/cpu0";

    /// <summary>Set: every request is refused.</summary>
    public Refusal? Refusal { get; set; }

    /// <summary>True: routing never answers.</summary>
    public bool Silent { get; set; }

    public RouteRequest? LastRoute { get; private set; }

    /// <summary>The workers that are there.</summary>
    public WorkerLoad[] Load { get; set; } =
    [
        new()
        {
            Worker = Worker,
            Model = Demo.Model,
            Epoch = 3,
            Accepting = true,
            BudgetBytes = 1 << 30,
            TranscodeReserveBytes = 1 << 20,
            CommittedBytes = 0,
            UsedBytes = 0,
            Running = 0,
            Queued = 0,
            QueueLimit = 256,
            ContextLength = Demo.ContextTokens,
            FloorBytesPerColumn = 64 * 4_096,
        },
    ];

    public async Task<RouteAnswer> Route(RouteRequest request, CancellationToken cancellation = default)
    {
        LastRoute = request;
        if (Silent)
        {
            // Deaf to the caller's token as well, as a grain behind a broken connection is.
            await new TaskCompletionSource().Task;
        }
        return Refusal is null ? new RouteAnswer(Worker, "silo", 7, null) : new RouteAnswer(null, null, 0, Refusal);
    }

    public Task<RungAssignments> Report(WorkerReport report, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<ClusterLoad> Workers(CancellationToken cancellation = default) =>
        Task.FromResult(new ClusterLoad(cluster.Facts is null ? [] : Load));
}
