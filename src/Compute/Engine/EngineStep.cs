using System.Diagnostics;
using Concertina.Compute.Engine.Budget;
using Concertina.Compute.Engine.Elastic;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.Engine.Undo;
using Concertina.Compute.Model;

namespace Concertina.Compute.Engine;

/// <summary>
/// One step: take commands, admit, schedule, forward, sample, deliver, publish prefix columns, settle what ended. Owns no
/// thread; one thread at a time calls it. In the steady state (no request comes or goes) it allocates nothing.
/// </summary>
internal sealed class EngineStep
{
    /// <summary>Steps in a row whose forward pass may fail before the engine gives up.</summary>
    private const int MostForwardFailures = 3;

    private readonly EngineState _state;
    private readonly IModelRunner _runner;
    private readonly Admission _admission;
    private readonly Settlement _settlement;
    private readonly Deadlines _deadlines;
    private readonly BudgetStage _budget;
    private readonly EngineCommands _commands;
    private readonly Scheduler _scheduler;
    private readonly StepResults _results;
    private readonly EngineMetrics _metrics;
    private readonly StageMark _mark;
    private readonly Reflex _reflex;
    private readonly StepBatch _batch;
    private EngineReadings _readings;
    private int _forwardFailures;
    private bool _squeezing;

    public EngineStep(EngineState state, IModelRunner runner, EngineMetrics metrics, StageMark mark)
    {
        EngineOptions options = state.Options;
        _state = state;
        _runner = runner;
        _metrics = metrics;
        _mark = mark;
        _admission = new Admission(state);
        _settlement = new Settlement(state, _admission);
        _deadlines = new Deadlines(state, _settlement);
        _budget = new BudgetStage(state, _admission, _settlement);
        _commands = new EngineCommands(state, _admission, _settlement, _budget);
        _scheduler = new Scheduler(state.Clocks, state.Slots, options.MaxRunning);
        _results = new StepResults(state, _settlement, metrics, runner.Config.VocabularySize);
        Squeeze = new SqueezeStage(state);
        _reflex = new Reflex(state);
        state.Slots.Right = _reflex.Right;
        Undo = new UndoStage(state);
        _batch = new StepBatch(options.StepTokens, options.MaxLogitRows, runner.Config.VocabularySize);
        PublishReadings();
    }

    public SqueezeStage Squeeze { get; }

    public UndoStage Undo { get; }

    /// <summary>Runs one step.</summary>
    /// <returns>False when there was nothing to do: wait for a command, a reader or a deadline.</returns>
    public bool RunOnce()
    {
        if (_state.Intake.Failure is not null)
        {
            return _commands.TakeAfterFailure();
        }
        try
        {
            return Run();
        }
        // The border of the engine: a bug in any stage must not leave readers waiting. It ends the engine and is told in
        // every refusal, in the snapshot and in the end of each generation.
        catch (Exception exception)
        {
            Fail(exception);
            return true;
        }
    }

    /// <summary>Ends everything and frees every unit; submits are refused from then on.</summary>
    public void Stop()
    {
        _state.Intake.Close();
        _commands.StopAll();
        PublishReadings();
    }

    /// <summary>The last resort when even failing failed: answers every reader and touches nothing else.</summary>
    public void Abandon(Exception exception)
    {
        _state.Intake.SetFailed(_mark.Stage.ToString().ToLowerInvariant(), RunErrors.Describe(exception));
        _state.Intake.Close();
        _commands.Abandon(RunErrors.Failed(exception, "end"));
    }

    private bool Run()
    {
        long startedAt = _state.Time.GetTimestamp();
        _state.Meter.Charge(startedAt);
        long capacity = _state.Commitments.CapacityBytes;
        _state.ByteWeights.Weigh(startedAt, capacity, isShort: _state.LiveBytes >= _state.Options.LowWatermark * capacity);
        _state.Spills.BeginStep();
        _state.Wakes.BeginStep();
        _mark.Enter(EngineStage.Commands);
        bool moved = _commands.Take();
        _mark.Enter(EngineStage.Admit);
        // In this order: whoever's wait ran out during a long step is still admitted if there is room now.
        moved |= _admission.Admit() | _deadlines.EndQueued(startedAt) | _state.Wakes.HasCopied;
        _mark.Enter(EngineStage.Schedule);
        _scheduler.Fill(_batch, _state.Running, startedAt);
        moved |= _deadlines.EndRunning(startedAt);
        int spans = _batch.SpanCount;
        Undo.Fill(_batch);
        if (_batch.RowCount > 0)
        {
            _mark.Enter(EngineStage.Forward);
            if (TryForward(spans))
            {
                Advance(spans);
            }
            _readings.Steps++;
            moved = true;
            TellDuration(_state.Time.GetElapsedTime(startedAt));
        }
        _mark.Enter(EngineStage.Squeeze);
        bool urgent = _scheduler.ShortRuns > 0 || _budget.NeedsBytes || _state.Wakes.NeedsBytes;
        moved |= _reflex.Run(urgent, _squeezing);
        moved |= _squeezing = RunSqueeze(urgent);
        _state.Slots.Right = _reflex.Right;
        moved |= _budget.Run();
        moved |= Spill(startedAt);
        CheckLaws();
        _readings.MemoryWaits += _scheduler.WaitingRuns > 0 ? 1 : 0;
        PublishReadings();
        return moved;
    }

    private bool RunSqueeze(bool urgent)
    {
        long startedAt = _state.Time.GetTimestamp();
        bool squeezing = Squeeze.Run(urgent);
        _readings.SqueezeSeconds += Squeeze.LastSliceBytes > 0 ? _state.Time.GetElapsedTime(startedAt).TotalSeconds : 0;
        return squeezing;
    }

    private void TellDuration(TimeSpan elapsed)
    {
        _metrics.Step(elapsed, _batch.RowCount);
        if (_scheduler.PrefillRows > 0)
        {
            _state.Desk?.Choice.Prefill.Add(_batch.RowCount, elapsed);
        }
    }

    // One that has been idle long enough, and what is on its way.
    private bool Spill(long now)
    {
        if (_state.Spills.Next() is { } next && _state.IsOver(next.IdleSince, _state.Options.SpillIdleSeconds, now))
        {
            _state.Slots.TrySpill(next);
        }
        return _state.Spills.IsCopying && _state.Slots.Spill(out _);
    }

    /// <summary>In debug builds every step ends with the laws of commitments; a broken one fails the engine.</summary>
    [Conditional("DEBUG")]
    private void CheckLaws() => _state.CheckLaws();

    private bool TryForward(int spans)
    {
        try
        {
            _runner.Forward(_batch);
            _forwardFailures = 0;
            return true;
        }
        // The runner is a seam: whatever it throws concerns the sequences of this step, which end with it.
        catch (Exception exception)
        {
            Undo.Fail();
            foreach (Run run in _scheduler.Scheduled(spans))
            {
                _settlement.End(run, RunErrors.Failed(exception, "forward") with { DiscardUnits = true });
            }
            if (++_forwardFailures >= MostForwardFailures)
            {
                throw;
            }
            return false;
        }
    }

    private void Advance(int spans)
    {
        ReadOnlySpan<Run> runs = _scheduler.Scheduled(spans);
        Undo.Commit();
        _mark.Enter(EngineStage.Sample);
        _results.Sample(_batch, runs);
        _readings.PrefilledTokens += _scheduler.PrefillRows;
        _mark.Enter(EngineStage.Deliver);
        _readings.GeneratedTokens += _results.Deliver(runs);
        _mark.Enter(EngineStage.Publish);
        _results.Publish(runs);
        _mark.Enter(EngineStage.Settle);
        _results.Settle(runs);
        Undo.TrySwap();
    }

    private void Fail(Exception exception)
    {
        string stage = _mark.Stage.ToString().ToLowerInvariant();
        _state.Intake.SetFailed(stage, RunErrors.Describe(exception));
        _state.Meter.Stop();
        _commands.FailAll(exception, stage);
        PublishReadings();
    }

    private void PublishReadings()
    {
        _readings.Running = _state.Running.Count;
        _readings.IdleSequences = _state.Idle.Count;
        _readings.CommittedBytes = _state.Ledger.SumBytes;
        _readings.ReclaimedSequences = _state.Slots.Reclaimed;
        (_readings.TranscodedUnits, _readings.TranscodeCharge) = (Squeeze.Units, Squeeze.ChargedBytes);
        _readings.GuardedUnits = Squeeze.GuardedUnits;
        _readings.Reflexes = _reflex.Count;
        (_readings.UndoBacklog, _readings.UndoBacklogTokens) = (_state.Undos.Count, _state.Undos.BacklogTokens);
        (_readings.UndoneSequences, _readings.AbandonedUndos, _readings.UndoneTokens) = (_state.Undos.Completed, _state.Undos.Abandoned, Undo.Rows);
        _readings.Budget = _budget.Current;
        _readings.ReclaimedBytes = Squeeze.ReclaimedBytes;
        _readings.Pressure = (double)_state.LiveBytes / Math.Max(1, _state.Commitments.CapacityBytes);
        _readings.Preemptions = _scheduler.Preemptions;
        _readings.FloorViolations = _settlement.FloorViolations;
        _state.Cache.Interior.CountByRung(_readings.RungBytes);
        _readings.Kv = _state.Cache.Statistics();
        _state.Board.Write(_readings);
    }
}
