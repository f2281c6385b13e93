using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Grains.Budget;
using Concertina.Grains.Sessions;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Grains.Workers;

/// <summary>The cluster's door to one engine. Key: <c>silo/device</c>, placed on that silo. Reports upwards, never the other way.</summary>
[KeepAlive]
[WorkerPlacement]
internal sealed class WorkerGrain(
    [PersistentState("worker")] IPersistentState<WorkerState> state,
    LocalWorker worker,
    SessionTokenStore store,
    ILocalSiloDetails silo,
    TimeProvider time,
    ILogger<WorkerGrain> logger) : Grain, IWorkerGrain
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ChargeEvery = TimeSpan.FromSeconds(5);
    private readonly WorkerReports _reports = new(time);
    private readonly TenantCharges _charges = new(worker.Key);
    private KvCurve? _curve;
    private bool _charging;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (this.GetPrimaryKeyString() != worker.Key)
        {
            throw new InvalidOperationException($"Worker '{this.GetPrimaryKeyString()}' was placed on the silo of worker '{worker.Key}'.");
        }
        state.State = new WorkerState { Incarnation = state.State.Incarnation + 1 };
        await state.WriteStateAsync(cancellationToken);
        long epoch = worker.Begin(state.State.Incarnation);
        GrainsLog.WorkerStarted(logger, worker.Key, epoch);
        _charges.Begin(state.State.Incarnation, worker.Served?.Engine.Tenants() ?? []);
        this.RegisterGrainTimer(Charge, new GrainTimerCreationOptions { DueTime = ChargeEvery, Period = ChargeEvery, Interleave = true });
        this.RegisterGrainTimer(Report, new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = ReportEvery });
    }

    public Task<ModelFacts?> Facts(CancellationToken cancellation = default) => Task.FromResult(worker.Served?.Facts);

    public Task<KvLadder?> Ladder(CancellationToken cancellation = default) =>
        Task.FromResult(worker.Served is { } served ? EngineMessages.Ladder(served.Engine.Ladder) : null);

    public Task<byte[]> TokenizerPart(string modelHash, int offset, CancellationToken cancellation = default)
    {
        ServedModel? served = worker.Served;
        if (served is null || served.Facts.Hash != modelHash)
        {
            throw new ArgumentException($"Worker '{worker.Key}' does not serve a model with hash '{modelHash}'; ask for its facts again.", nameof(modelHash));
        }
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ReadOnlyMemory<byte> rest = served.TokenizerBytes[Math.Min(offset, served.TokenizerBytes.Length)..];
        return Task.FromResult(rest[..Math.Min(rest.Length, TokenPacking.MaxMessageBytes)].ToArray());
    }

    public Task<WorkerLoad> Load(CancellationToken cancellation = default) => Task.FromResult(LoadHere());

    public Task<WorkerMemory> Memory(CancellationToken cancellation = default) =>
        Task.FromResult(WorkerView.Memory(LoadHere(), worker.Served?.Engine, store.PageFiles));

    public Task<SessionPage> Sessions(SessionQuery query, CancellationToken cancellation = default) =>
        Task.FromResult(WorkerView.Sessions(query, worker.Served?.Engine.Sequences() ?? [], store.Sessions));

    public async Task<BudgetChange> ChangeBudget(long budgetBytes, CancellationToken cancellation = default)
    {
        if (worker.Served?.Engine is not { } engine)
        {
            return WorkerView.Budget(default, $"Worker '{worker.Key}' is still loading its model; its budget can be changed once it serves.");
        }
        try
        {
            KvBudgetState state = await engine.ChangeBudgetAsync(budgetBytes).WaitAsync(cancellation);
            GrainsLog.BudgetChanged(logger, worker.Key, state.TargetBytes, state.ActualBytes, state.Hold);
            return WorkerView.Budget(state, refusal: null);
        }
        catch (ArgumentException problem)
        {
            KvBudgetState state = engine.Snapshot.Budget;
            GrainsLog.BudgetRefused(logger, worker.Key, budgetBytes, problem.Message);
            return WorkerView.Budget(state, $"{budgetBytes:N0} bytes are not between the {state.LeastBytes:N0} and {state.MostBytes:N0} bytes that worker '{worker.Key}' can have.");
        }
    }

    public Task<long> Assign(RungAssignments assignments, CancellationToken cancellation = default)
    {
        Apply(assignments);
        return Task.FromResult(worker.Epoch);
    }

    public Task Drain(CancellationToken cancellation = default)
    {
        worker.Drain();
        return Task.CompletedTask;
    }

    // Step 8: changes only, a full list per epoch.
    private async Task Report(CancellationToken cancellation)
    {
        IMemoryBudgetGrain budget = GrainFactory.GetGrain<IMemoryBudgetGrain>(worker.Model);
        try
        {
            foreach (WorkerReport report in _reports.Due(LoadHere(), worker.Served?.Engine.Sequences() ?? [], Curve()))
            {
                RungAssignments answer = await budget.Report(report, cancellation);
                if (answer.SendFull)
                {
                    _reports.SendFull();
                }
                Apply(answer);
            }
        }
        catch (SiloUnavailableException)
        {
            // The silo stops, or the budget grain's silo does: the next report, if there is one, lists all sessions.
            _reports.SendFull();
        }
        catch (Exception problem)
        {
            _reports.SendFull();
            GrainsLog.ReportFailed(logger, worker.Key, problem);
        }
    }

    // Totals, so what does not arrive comes with the next one.
    private async Task Charge(CancellationToken cancellation)
    {
        if (_charging)
        {
            return;
        }
        _charging = true;
        try
        {
            // Side by side: a tenant's account that does not answer keeps no other from its charge.
            await Task.WhenAll(_charges.Due(worker.Served?.Engine.Tenants() ?? []).Select(due => Tell(due.TenantId, due.Charge, cancellation)));
        }
        finally
        {
            _charging = false;
        }
    }

    private async Task Tell(string tenantId, KvCharge charge, CancellationToken cancellation)
    {
        try
        {
            await GrainFactory.GetGrain<ITenantGrain>(tenantId).Charge(charge, cancellation);
            _charges.Told(tenantId, charge);
        }
        catch (Exception problem)
        {
            GrainsLog.ChargeFailed(logger, worker.Key, problem);
        }
    }

    private KvCurve? Curve() => _curve ??= worker.Served?.Engine.Curve is { } ladder ? WorkerCurve.Message(ladder) : null;

    private WorkerLoad LoadHere() => worker.Load() with { Silo = silo.SiloAddress.ToParsableString() };

    private void Apply(RungAssignments assignments)
    {
        if (assignments.Epoch != worker.Epoch)
        {
            GrainsLog.AssignmentsRefused(logger, worker.Key, assignments.Epoch, worker.Epoch);
            return;
        }
        foreach (RungAssignment assignment in assignments.Assignments)
        {
            Apply(assignment);
        }
    }

    private void Apply(RungAssignment assignment)
    {
        IInferenceEngine? engine = worker.Served?.Engine;
        if (engine?.Assign(assignment.SequenceKey, assignment.Rung) == true)
        {
            return;
        }
        if (engine is null || engine.Ladder.Any(rung => rung.Name == assignment.Rung))
        {
            GrainsLog.UnknownSession(logger, worker.Key, assignment.SequenceKey, assignment.Rung);
        }
        else
        {
            GrainsLog.UnknownRung(logger, worker.Key, assignment.SequenceKey, assignment.Rung);
        }
    }
}
