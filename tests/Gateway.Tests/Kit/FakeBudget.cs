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

    /// <summary>Sessions whose KV is in memory, in the order of their keys.</summary>
    public HeldSession[] Held { get; set; } = [];

    /// <summary>Budgets that workers were told to have.</summary>
    public List<(string Worker, long Bytes)> Asked { get; } = [];

    /// <summary>What a worker says of its memory besides its load.</summary>
    public WorkerMemory Details { get; set; } = new()
    {
        Load = null!,
        Budget = new BudgetChange { TargetBytes = 1 << 30, ActualBytes = 1 << 30, Hold = "None", LeastBytes = 1 << 22, MostBytes = 1 << 30 },
    };

    public WorkerMemory Memory(string worker) => Details with { Load = Load.Single(load => load.Worker == worker) };

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
