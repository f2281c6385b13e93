using Concertina.Compute.Engine.Budget;
using Concertina.Compute.Engine.Scheduling;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Engine;

/// <summary>Carries out what the outside asked for, between two steps. Engine thread only.</summary>
internal sealed class EngineCommands(EngineState state, Admission admission, Settlement settlement, BudgetStage budget)
{
    private readonly List<EngineCommand> _taken = [];
    private readonly HashSet<Sequence> _known = [];

    /// <returns>True when there was a command.</returns>
    public bool Take()
    {
        if (!state.Intake.HasCommands)
        {
            return false;
        }
        state.Intake.Take(_taken);
        foreach (EngineCommand command in _taken)
        {
            CarryOut(command);
        }
        _taken.Clear();
        return true;
    }

    /// <summary>The engine failed: requests end at once, units are not touched again.</summary>
    public bool TakeAfterFailure()
    {
        bool any = state.Intake.HasCommands;
        state.Intake.Take(_taken);
        EndTaken(new RunOutcome(FinishKind.Error, "engine/failed", state.Intake.Failure));
        return any;
    }

    /// <summary>A stage threw: all that is queued or running ends with the reason.</summary>
    public void FailAll(Exception exception, string stage)
    {
        RunOutcome outcome = RunErrors.Failed(exception, stage);
        EndAll(outcome);
        state.Intake.Take(_taken);
        EndTaken(outcome);
    }

    /// <summary>The engine stops: everything ends, every unit is freed.</summary>
    public void StopAll()
    {
        EndAll(RunErrors.Stopped);
        state.Intake.Take(_taken);
        EndTaken(RunErrors.Stopped);
        if (state.Intake.Failure is not null)
        {
            return; // the cache may be the part that broke
        }
        foreach (Sequence sequence in _known)
        {
            state.Slots.Release(sequence);
        }
        _known.Clear();
    }

    /// <summary>Answers everybody who waits; lists, ledger and cache are left as they are.</summary>
    public void Abandon(in RunOutcome outcome)
    {
        foreach (Sequence sequence in _known)
        {
            if (sequence.CurrentRun is { } run)
            {
                Settlement.Answer(run, outcome);
            }
        }
        state.Intake.Take(_taken);
        foreach (EngineCommand command in _taken)
        {
            if (command is { Kind: EngineCommandKind.Submit, Target: Run submitted })
            {
                Settlement.Answer(submitted, outcome);
            }
            (command.Target as BudgetRequest)?.Stop();
            command.Done?.TrySetResult();
        }
    }

    private void CarryOut(in EngineCommand command)
    {
        switch (command.Kind)
        {
            case EngineCommandKind.Submit:
                Submit((Run)command.Target);
                break;
            case EngineCommandKind.Cancel:
                Cancel((Run)command.Target);
                break;
            case EngineCommandKind.Assign:
                Assign((Sequence)command.Target);
                break;
            case EngineCommandKind.Spill:
                Spill((Sequence)command.Target, command.Done!);
                break;
            case EngineCommandKind.Look:
                break;
            case EngineCommandKind.Budget:
                budget.Change((BudgetRequest)command.Target);
                break;
            default:
                Close((Sequence)command.Target);
                command.Done!.TrySetResult();
                break;
        }
    }

    private void Submit(Run run)
    {
        run.Sequence.CurrentRun = run;
        _known.Add(run.Sequence);
        run.Sequence.Meter ??= state.Meter.Of(run.Sequence.Identity.TenantId);
        state.Queue.Add(run);
        run.Tenant.Know(run.Sequence.Meter);
        Recall(run.Sequence);
        state.Wakes.Begin(run);
        admission.Look();
        if (run.Stream.IsCancelled)
        {
            settlement.End(run, RunOutcome.Cancelled); // it never runs
        }
    }

    private void Cancel(Run run)
    {
        if (run.State == RunState.Ended)
        {
            settlement.CutIdle(run.Sequence);
        }
        else
        {
            settlement.End(run, RunOutcome.Cancelled);
        }
    }

    private void Assign(Sequence sequence)
    {
        sequence.AssignedRung = sequence.TakeNamed();
        if (sequence.Table is { } table && sequence.Spill is null)
        {
            Squeezer.SetRung(table, sequence.WantedRung);
            state.Squeezes.Add(sequence);
            state.Undos.Request(sequence);
        }
    }

    private void Close(Sequence sequence)
    {
        if (sequence.CurrentRun is { } run)
        {
            settlement.End(run, RunOutcome.Cancelled);
        }
        sequence.LastSpill?.Cancel();
        state.Slots.Release(sequence);
        _known.Remove(sequence);
        admission.Look();
    }

    // Its units stay where they are; those that were not at their rung go on.
    private void Recall(Sequence sequence)
    {
        state.Slots.Recall(sequence);
        if (sequence.Table is { Rung: > 0 })
        {
            state.Squeezes.Add(sequence);
        }
    }

    private void Spill(Sequence sequence, TaskCompletionSource done)
    {
        state.Slots.TrySpill(sequence);
        Task spilled = sequence.LastSpill?.Done ?? Task.CompletedTask;
        spilled.ContinueWith(static (_, done) => ((TaskCompletionSource)done!).TrySetResult(), done, TaskScheduler.Default);
    }

    private void EndAll(in RunOutcome outcome)
    {
        while (state.Running.Count > 0)
        {
            settlement.EndAbruptly(state.Running[^1], outcome);
        }
        while (state.Queue.Oldest is { } oldest)
        {
            settlement.EndAbruptly(oldest, outcome);
        }
    }

    private void EndTaken(in RunOutcome outcome)
    {
        foreach (EngineCommand command in _taken)
        {
            if (command.Kind == EngineCommandKind.Submit)
            {
                EndSubmitted((Run)command.Target, outcome);
            }
            (command.Target as BudgetRequest)?.Stop();
            command.Done?.TrySetResult();
        }
        _taken.Clear();
    }

    private void EndSubmitted(Run run, in RunOutcome outcome)
    {
        if (run.State != RunState.Ended)
        {
            state.Queue.Add(run);
            settlement.EndAbruptly(run, outcome);
        }
    }
}
