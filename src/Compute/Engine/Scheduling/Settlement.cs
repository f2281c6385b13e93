using Concertina.Compute.KvCache;

namespace Concertina.Compute.Engine.Scheduling;

/// <summary>
/// Ends runs: gives back commitment and turn, cuts what a cancel cut, leaves the units as warm cache or frees them, and
/// only then tells the reader. Whoever has seen the end finds the sequence free and its tokens final. Engine thread only.
/// </summary>
internal sealed class Settlement(EngineState state, Admission admission)
{
    /// <summary>Runs whose cache was found deeper than they allow at their end, since start: a law is broken when it is not 0.</summary>
    public long FloorViolations { get; private set; }

    /// <summary>Ends a queued or running generation; no effect on one that has ended.</summary>
    public void End(Run run, in RunOutcome outcome)
    {
        if (run.State == RunState.Ended)
        {
            return;
        }
        bool ran = run.State == RunState.Running;
        PageTable? table = ran ? run.Sequence.Table : null;
        GenerationEnd end = WithCache(Describe(run, outcome), run, table);
        (int tokens, long deliver) = Leave(run, ran);
        bool settled = false;
        try
        {
            if (ran)
            {
                SettleUnits(run, tokens, outcome);
            }
            settled = true;
        }
        // The run has left every list, so nobody else would ever answer its reader.
        finally
        {
            run.Stream.Complete(settled ? end : Describe(run, RunErrors.Unsettled) with { Exact = false }, deliver);
        }
        admission.Look();
    }

    /// <summary>Ends a generation without touching the cache: the engine failed or stops.</summary>
    public void EndAbruptly(Run run, in RunOutcome outcome)
    {
        long deliver = 0;
        try
        {
            (_, deliver) = Leave(run, run.State == RunState.Running);
        }
        finally
        {
            // What it ran on is not looked at any more, so exactness is not claimed.
            run.Stream.Complete(Describe(run, outcome) with { Exact = false }, deliver);
        }
    }

    /// <summary>Answers the reader of a run that has no end yet, and nothing else.</summary>
    public static void Answer(Run run, in RunOutcome outcome)
    {
        if (run.Stream.End is null)
        {
            run.Stream.Complete(Describe(run, outcome) with { Exact = false }, 0);
        }
    }

    /// <summary>A cancel that came after the end: the tokens are cut already, the units follow.</summary>
    public void CutIdle(Sequence sequence)
    {
        int tokens;
        lock (sequence.Gate)
        {
            if (sequence.Current is not null)
            {
                return; // the next request compares and cuts
            }
            tokens = sequence.Tokens.Count;
        }
        if (sequence.Table is { } table && table.TokenCount > tokens)
        {
            state.Slots.Recall(sequence);
            state.Cache.Truncate(table, tokens);
            state.Undos.Review(sequence);
            sequence.PublishTable();
        }
    }

    private GenerationEnd WithCache(GenerationEnd end, Run run, PageTable? table)
    {
        // What it streamed before its cache was computed anew had run on the deeper rung.
        int reached = Math.Max(run.DeepestRung, table?.ReachedRung ?? 0);
        FloorViolations += reached > run.Bounds.DeepestRung ? 1 : 0;
        KvRungFacts rung = state.Ladder[reached];
        if (table is null || reached == 0)
        {
            return end with { KvBytes = table?.Bytes ?? 0, Exact = table is null || table.ExactTokens == table.TokenCount, Rung = rung.Name, Bits = rung.Bits };
        }
        double ratio = (double)state.Commitments.Bytes(table.TokenCount, rung: 0) / table.Bytes;
        return end with
        {
            KvBytes = table.Bytes,
            Exact = false,
            Rung = rung.Name,
            Bits = state.Ladder[0].Bits / ratio,
            Ratio = ratio,
            Distortion = reached > table.ReachedRung ? rung.MeanKl : state.Ladder.Distortion(table),
            Transcodes = table.TranscodedUnits - run.TranscodedBefore,
        };
    }

    private static GenerationEnd Describe(Run run, in RunOutcome outcome) => new()
    {
        Kind = outcome.Kind,
        ErrorCode = outcome.ErrorCode,
        ErrorMessage = outcome.ErrorMessage,
        Refusal = outcome.Refusal,
        GeneratedTokens = run.Generated,
        StopToken = outcome.StopToken,
        Waits = run.Waits,
    };

    /// <returns>Tokens of the sequence, and tokens its reader may get in all.</returns>
    private (int Tokens, long Deliver) Leave(Run run, bool ran)
    {
        run.State = RunState.Ended;
        run.Sequence.CurrentRun = null;
        LeaveSchedule(run, ran);
        return FreeSequence(run, ran);
    }

    private void LeaveSchedule(Run run, bool ran)
    {
        if (ran)
        {
            state.Running.Remove(run);
            state.Ledger.Release(run);
            run.Tenant.Promised -= run.PromptLeft / run.Spec.Weight;
            run.Sequence.Running = false;
        }
        else
        {
            state.Queue.Remove(run);
            state.Intake.LeaveQueue();
        }
        state.Wakes.Forget(run);
        state.Clocks.Leave(run.Tenant);
    }

    private static (int Tokens, long Deliver) FreeSequence(Run run, bool ran)
    {
        Sequence sequence = run.Sequence;
        lock (sequence.Gate)
        {
            long deliver = long.MaxValue;
            if (run.Stream.KeepTokens is { } keep)
            {
                deliver = keep;
                if (ran)
                {
                    sequence.Tokens.Cut((int)Math.Min((long)run.Spec.Prompt.Length + keep, int.MaxValue));
                }
            }
            sequence.Current = null;
            sequence.Last = run.Stream;
            return (sequence.Tokens.Count, deliver);
        }
    }

    private void SettleUnits(Run run, int tokens, in RunOutcome outcome)
    {
        Sequence sequence = run.Sequence;
        if (outcome.DiscardUnits)
        {
            state.Slots.Release(sequence);
            return;
        }
        PageTable table = sequence.Table!;
        state.Cache.Truncate(table, Math.Min(table.TokenCount, tokens)); // also frees slots reserved and not written
        sequence.IdleSince = state.Time.GetTimestamp();
        if (outcome.Kind == FinishKind.Cancelled && sequence.Undo is { } undo)
        {
            state.Undos.Abandon(undo);
        }
        state.Undos.Review(sequence);
        state.Idle.Add(sequence);
        sequence.PublishTable();
    }
}
