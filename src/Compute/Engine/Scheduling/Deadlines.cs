namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Ends what waited too long: for admission, for memory, for its reader. Engine thread only.</summary>
internal sealed class Deadlines(EngineState state, Settlement settlement)
{
    /// <summary>Refuses requests that were not admitted in time.</summary>
    /// <returns>True when there was one.</returns>
    public bool EndQueued(long now)
    {
        bool expired = false;
        while (state.Queue.Oldest is { } oldest && state.IsOver(oldest.SubmittedAt, state.Options.QueueWaitSeconds, now))
        {
            EngineRefusal refusal = state.Intake.QueueExpired();
            settlement.End(oldest, new RunOutcome(FinishKind.Error, "admission/queue-timeout", refusal.Message) { Refusal = refusal });
            expired = true;
        }
        return expired;
    }

    /// <summary>Ends runs that could not move for too long; they have no rows in the step that was just filled.</summary>
    /// <returns>True when there was one.</returns>
    public bool EndRunning(long now)
    {
        bool expired = false;
        EngineOptions options = state.Options;
        for (int i = state.Running.Count - 1; i >= 0; i--)
        {
            Run run = state.Running[i];
            if (state.IsOver(run.BlockedSince, options.SlowReaderSeconds, now))
            {
                settlement.End(run, RunErrors.SlowReader(run, options));
                expired = true;
            }
            else if (state.IsOver(run.WaitingSince, options.MemoryWaitSeconds, now))
            {
                settlement.End(run, RunErrors.WaitExpired(run, state));
                expired = true;
            }
        }
        return expired;
    }
}
