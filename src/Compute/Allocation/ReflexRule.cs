namespace Concertina.Compute.Allocation;

/// <summary>
/// Whom a worker squeezes by itself, whether the plan answers or not: idle sessions alone if that is enough, else all of one
/// ladder within their floors. Nobody is let out. Keeps its buffers, so one thread at a time.
/// </summary>
public sealed class ReflexRule(PlanLadder ladder)
{
    private readonly RungPlan _plan = new(ladder);

    /// <summary>Chooses deeper rungs that free so many bytes, or as many as there are.</summary>
    /// <param name="sessions">The worker's sessions, running ones first; none of them may rise.</param>
    /// <param name="running">How many run.</param>
    /// <param name="excessBytes">Bytes to free.</param>
    /// <param name="rungs">Receives a rung per session: its own or a deeper one.</param>
    /// <returns>Sessions that are to move.</returns>
    public int Choose(ReadOnlySpan<PlanSession> sessions, int running, double excessBytes, Span<int> rungs)
    {
        PlanSummary idle = Solve(sessions[running..], excessBytes, rungs[running..]);
        if (idle.Moves > 0 && idle.ShortBytes <= 0)
        {
            for (int session = 0; session < running; session++)
            {
                rungs[session] = sessions[session].Rung;
            }
            return idle.Moves;
        }
        return Solve(sessions, excessBytes, rungs).Moves;
    }

    private PlanSummary Solve(ReadOnlySpan<PlanSession> sessions, double excessBytes, Span<int> rungs)
    {
        double bytes = 0;
        foreach (ref readonly PlanSession session in sessions)
        {
            bytes += ladder.Bytes(session, session.Rung);
        }
        return _plan.Solve(sessions, bytes - excessBytes, rungs);
    }
}
