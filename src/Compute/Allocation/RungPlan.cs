namespace Concertina.Compute.Allocation;

/// <summary>
/// Assigns rungs to the sessions of one worker: least weighted distortion within a budget of bytes and every floor. Every
/// session starts as far out as it may be; then bytes are taken where one costs least, along the lower hull of each session's
/// (bytes, cost), until the rest fits. That is the optimum of the relaxed problem but for the last step taken. Source: Shoham
/// and Gersho, "Efficient bit allocation for an arbitrary set of quantizers", IEEE TASSP 36(9), 1988. Pure, no clocks; keeps
/// its buffers, so one thread at a time.
/// </summary>
public sealed class RungPlan(PlanLadder ladder)
{
    private readonly SessionHull _hull = new(ladder);
    private readonly StepHeap _heap = new();
    private HullStep[] _steps = [];
    private int[] _firsts = [];
    private int[] _taken = [];

    /// <summary>Plans.</summary>
    /// <param name="sessions">Sessions of the worker; rungs and floors are indices of the ladder.</param>
    /// <param name="budgetBytes">Bytes that all of them together may take.</param>
    /// <param name="rungs">Receives the rung of each session.</param>
    /// <exception cref="ArgumentException">The lengths differ, or a session has figures outside their ranges; nothing is planned.</exception>
    public PlanSummary Solve(ReadOnlySpan<PlanSession> sessions, double budgetBytes, Span<int> rungs)
    {
        if (rungs.Length != sessions.Length)
        {
            throw new ArgumentException($"There is room for {rungs.Length} rungs of {sessions.Length} sessions.", nameof(rungs));
        }
        double bytes = Prepare(sessions);
        bytes = Take(sessions, bytes, budgetBytes);
        for (int session = 0; session < sessions.Length; session++)
        {
            rungs[session] = Reached(session);
        }
        double missing = Math.Max(0, bytes - budgetBytes);
        // Deeper still, as far as with the smaller budget: nobody is let out beyond that.
        Take(sessions, bytes, budgetBytes * (1 - ladder.Hysteresis));
        return Settle(sessions, rungs, missing);
    }

    private double Prepare(ReadOnlySpan<PlanSession> sessions)
    {
        Grow(sessions.Length);
        _heap.Clear(sessions.Length);
        double bytes = 0;
        int count = 0;
        for (int session = 0; session < sessions.Length; session++)
        {
            Check(sessions[session], session);
            _firsts[session] = count;
            _taken[session] = 0;
            bytes += _hull.Append(sessions[session], _steps.AsSpan(count), out int points);
            count += points;
            PushNext(sessions[session], session, count);
        }
        _firsts[sessions.Length] = count;
        return bytes;
    }

    private double Take(ReadOnlySpan<PlanSession> sessions, double bytes, double budgetBytes)
    {
        while (bytes > budgetBytes && _heap.TryPop(out int session))
        {
            bytes -= _steps[_firsts[session] + ++_taken[session]].FreedBytes;
            PushNext(sessions[session], session, _firsts[session + 1]);
        }
        return bytes;
    }

    // Between what the budget asks and what the smaller one would, a session stays where it is.
    private PlanSummary Settle(ReadOnlySpan<PlanSession> sessions, Span<int> rungs, double missing)
    {
        double bytes = 0;
        double cost = 0;
        int moves = 0;
        for (int session = 0; session < sessions.Length; session++)
        {
            int needed = rungs[session];
            rungs[session] = Math.Max(needed, Math.Min(sessions[session].Rung, Reached(session)));
            bytes += ladder.Bytes(sessions[session], rungs[session]);
            cost += ladder.Cost(sessions[session], rungs[session]);
            moves += rungs[session] == sessions[session].Rung ? 0 : 1;
        }
        return new PlanSummary(bytes, missing, cost, moves);
    }

    private int Reached(int session) => _steps[_firsts[session] + _taken[session]].Rung;

    private void PushNext(in PlanSession session, int index, int end)
    {
        int next = _firsts[index] + _taken[index] + 1;
        if (next < end)
        {
            // Of equal prices the larger session goes first: fewer are moved.
            _heap.Push(new StepPrice(_steps[next].CostPerByte, -session.Tokens, index));
        }
    }

    private void Grow(int sessions)
    {
        if (_firsts.Length <= sessions)
        {
            int room = Math.Max(sessions, 2 * _taken.Length);
            _taken = new int[room];
            _firsts = new int[room + 1];
            _steps = new HullStep[room * ladder.Count];
        }
    }

    private void Check(in PlanSession session, int index)
    {
        bool isRung = (uint)session.Rung < (uint)ladder.Count && (uint)session.Floor < (uint)ladder.Count;
        if (!isRung || session.Tokens < 0 || session.SharedBytes < 0 || !(session.Weight > 0 && double.IsFinite(session.Weight))
            || !(session.IdleSeconds >= 0 && double.IsFinite(session.IdleSeconds)))
        {
            throw new ArgumentException($"Session {index} cannot be planned: {session}; the ladder has rungs 0 to {ladder.Count - 1}.");
        }
    }
}
