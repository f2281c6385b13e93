using Concertina.Compute.Allocation;
using Concertina.Compute.Engine.Budget;
using Concertina.Compute.Engine.Elastic;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.KvCache;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>
/// Serves one model on one device: continuous batching over a paged KV cache. One thread owns the step loop
/// (schedule, forward, sample, deliver); everything public is thread-safe.
/// </summary>
public sealed class InferenceEngine : IInferenceEngine
{
    private readonly EngineLoop _loop = new();
    private readonly EngineState _state;
    private readonly EngineStep _step;
    private readonly EngineWatchdog _watchdog;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Sequence> _open = [];
    private readonly bool _manual;
    private BudgetRequest? _budget;
    private Task? _stopped;

    /// <summary>Makes an engine and starts its loop. It owns neither runner nor cache.</summary>
    /// <exception cref="ArgumentException">The options ask for larger steps than the runner is made for; the message has both.</exception>
    public InferenceEngine(IModelRunner runner, PagedKvCache cache, EngineOptions options, EngineServices services)
    {
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        RequireSizes(runner, options);
        StageMark mark = new();
        _manual = services.Manual;
        _state = new EngineState(cache, runner.Config, options, services, _loop.Wake);
        _step = new EngineStep(_state, runner, new EngineMetrics(services.Meters, _state), mark);
        _watchdog = new EngineWatchdog(_state, mark, _loop.Wake);
        if (!_manual)
        {
            _loop.Start(_step, mark);
        }
    }

    /// <summary>Makes an engine whose steps the caller runs (<see cref="StepOnce"/>), one thread at a time.</summary>
    internal static InferenceEngine Manual(
        IModelRunner runner, PagedKvCache cache, EngineOptions options, TimeProvider time, IReadOnlyList<KvRungFacts>? ladder = null) =>
        new(runner, cache, options, new EngineServices { Time = time, Ladder = ladder, Manual = true });

    /// <inheritdoc/>
    public EngineSnapshot Snapshot
    {
        get
        {
            EngineReadings readings = _state.Board.Read();
            return new EngineSnapshot
            {
                Steps = readings.Steps,
                GeneratedTokens = readings.GeneratedTokens,
                PrefilledTokens = readings.PrefilledTokens,
                Running = readings.Running,
                Queued = _state.Intake.Waiting,
                IdleSequences = readings.IdleSequences,
                CommittedBytes = readings.CommittedBytes,
                Refused = _state.Intake.RefusedCounts(),
                MemoryWaits = readings.MemoryWaits,
                ReclaimedSequences = readings.ReclaimedSequences,
                TranscodedUnits = readings.TranscodedUnits,
                GuardedUnits = readings.GuardedUnits,
                Reflexes = readings.Reflexes,
                UndoBacklog = readings.UndoBacklog,
                UndoBacklogTokens = readings.UndoBacklogTokens,
                UndoneSequences = readings.UndoneSequences,
                UndoneTokens = readings.UndoneTokens,
                AbandonedUndos = readings.AbandonedUndos,
                SpilledSequences = _state.Desk?.Figures.Spilled ?? 0,
                RestoredSequences = _state.Desk?.Figures.Restored ?? 0,
                SpillReserveBytes = _state.Desk is { Store.Enabled: true } desk ? desk.ReserveBytes : 0,
                SpillBufferedBytes = _state.Desk?.BufferedBytes ?? 0,
                Budget = readings.Budget,
                BytesByRung = ((ReadOnlySpan<long>)readings.RungBytes)[.._state.Ladder.Rungs.Count].ToArray(),
                Pressure = readings.Pressure,
                PromisableBytes = _state.Commitments.CapacityBytes,
                HighWatermark = _state.Options.HighWatermark,
                LowWatermark = _state.Options.LowWatermark,
                ReclaimedBytes = readings.ReclaimedBytes,
                FloorViolations = readings.FloorViolations,
                Preemptions = readings.Preemptions,
                Stalls = _state.Intake.Stalls,
                Kv = readings.Kv,
                Draining = _state.Intake.Draining,
                StalledStage = _state.Intake.StalledStage,
                Failure = _state.Intake.Failure,
            };
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KvRungFacts> Ladder => _state.Ladder.Rungs;

    /// <inheritdoc/>
    public PlanLadder? Curve => _state.Curve;

    /// <inheritdoc/>
    public SequenceHandle Open(in SequenceIdentity identity)
    {
        Sequence sequence = new(identity, _state.Curve);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_stopped is not null, this);
            _open[identity.Key] = sequence;
        }
        return new OpenSequence(sequence, _state, _loop.Wake, Forget);
    }

    /// <inheritdoc/>
    public IReadOnlyList<SequenceSnapshot> Sequences()
    {
        lock (_lock)
        {
            List<SequenceSnapshot> held = new(_open.Count);
            foreach (Sequence sequence in _open.Values)
            {
                if (sequence.KvBytes > 0 || sequence.Running)
                {
                    held.Add(SequenceReport.Of(sequence, _state.Ladder, _state.Commitments));
                }
            }
            return held;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<TenantKv> Tenants() => _state.Meter.Read();

    /// <inheritdoc/>
    public bool Assign(string sequenceKey, string rung)
    {
        lock (_lock)
        {
            int index = _state.Ladder.IndexOf(rung);
            if (index < 0 || !_open.TryGetValue(sequenceKey, out Sequence? sequence))
            {
                return false;
            }
            // One command a sequence is on its way, however often rungs are named: the last one wins.
            return !sequence.Name(index) || _state.Intake.TryPost(new EngineCommand(EngineCommandKind.Assign, sequence));
        }
    }

    /// <inheritdoc/>
    public Task<KvBudgetState> ChangeBudgetAsync(long budgetBytes)
    {
        lock (_lock)
        {
            if (_budget is not { } waiting || !waiting.TryReplace(budgetBytes))
            {
                _budget = new BudgetRequest(budgetBytes);
                ObjectDisposedException.ThrowIf(!_state.Intake.TryPost(new EngineCommand(EngineCommandKind.Budget, _budget)), this);
            }
            return _budget.Done;
        }
    }

    /// <inheritdoc/>
    public void Drain() => _state.Intake.Drain();

    /// <summary>Ends the loop after the current step; running generations end with an error that says so.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _stopped ??= Stop();
            return new ValueTask(_stopped);
        }
    }

    /// <summary>The stage that transcodes; for tests of its slices.</summary>
    internal SqueezeStage Squeezes => _step.Squeeze;

    /// <summary>The stage that computes sequences anew; for tests of its share.</summary>
    internal UndoStage Undos => _step.Undo;

    /// <summary>Undo jobs and their memory; for tests.</summary>
    internal UndoQueue UndoQueue => _state.Undos;

    /// <summary>The stage that restores; for tests of its slices.</summary>
    internal WakeStage Wakes => _state.Wakes;

    /// <summary>What spilling and waking share, or null; for tests.</summary>
    internal PageDesk? Desk => _state.Desk;

    /// <summary>Runs one step of a manual engine.</summary>
    /// <returns>False when there was nothing to do.</returns>
    internal bool StepOnce() => _step.RunOnce();

    /// <summary>Checks the laws that hold between two steps; tests call it after each.</summary>
    /// <exception cref="InvalidOperationException">A law is broken.</exception>
    internal void CheckLaws() => _state.CheckLaws();

    private static void RequireSizes(IModelRunner runner, EngineOptions options)
    {
        if (options.StepTokens > runner.MaxRows || options.MaxLogitRows > runner.MaxLogitRows)
        {
            throw new ArgumentException(
                $"Steps of Engine:StepTokens {options.StepTokens} and Engine:MaxRunning {options.MaxRunning} have up to {options.StepTokens} rows " +
                $"and {options.MaxLogitRows} logit rows; the runner is made for {runner.MaxRows} rows (MaxStepRows) and " +
                $"{runner.MaxLogitRows} logit rows (MaxLogitRows). Make the runner larger or the options smaller.",
                nameof(options));
        }
    }

    private void Forget(Sequence sequence)
    {
        lock (_lock)
        {
            // A key that was opened again belongs to the later handle.
            if (_open.TryGetValue(sequence.Identity.Key, out Sequence? open) && open == sequence)
            {
                _open.Remove(sequence.Identity.Key);
            }
        }
    }

    private Task Stop()
    {
        _watchdog.Dispose();
        if (!_manual)
        {
            return StopLoop();
        }
        _step.Stop();
        _state.Desk?.Worker.Stop();
        return Task.CompletedTask;
    }

    // What is on its way to the disk gets there.
    private async Task StopLoop()
    {
        await _loop.StopAsync().ConfigureAwait(false);
        await Task.Run(() => _state.Desk?.Worker.Stop()).ConfigureAwait(false);
    }
}
