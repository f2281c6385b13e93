using Concertina.Compute.Allocation;
using Concertina.Contracts.Budget;

namespace Concertina.Grains.Budget;

/// <summary>
/// Carries the plan out for one worker at a time: what it reported becomes the plan's sessions, and what differs from where they
/// are on their way to becomes assignments. The same report gives the same answer; an answer that was lost is given again
/// after the next full list. One thread at a time.
/// </summary>
internal sealed class RungAssigner(TimeProvider time)
{
    /// <summary>Share of the promisable bytes that the plan fills: between the worker's watermarks, so that its reflex rests.</summary>
    public const double FilledShare = 0.85;

    private const int MaxListBytes = 40 << 10;
    private const int EntryBytes = 96;
    private readonly List<KnownSession> _known = [];
    private readonly List<PlanSession> _sessions = [];

    /// <summary>Rungs that sessions of a worker are to move to; none while its list is not whole.</summary>
    public RungAssignment[] Assign(WorkerRecord worker)
    {
        if (worker.Curve is not { } curve || !worker.Complete || worker.Continues)
        {
            return [];
        }
        Gather(worker, curve);
        int[] rungs = new int[_sessions.Count];
        double budget = FilledShare * (worker.Load.BudgetBytes - worker.Load.TranscodeReserveBytes);
        curve.Plan.Solve([.. _sessions], Math.Max(0, budget), rungs);
        return Changes(curve, rungs);
    }

    private void Gather(WorkerRecord worker, WorkerCurve curve)
    {
        _known.Clear();
        _sessions.Clear();
        long now = time.GetTimestamp();
        foreach (KnownSession known in worker.Sessions)
        {
            SessionReport report = known.Report;
            // What it was told counts as done: a wish to let it out is no reason to think again before it was carried out.
            int target = known.Assigned is { } told ? curve.IndexOf(told) : Math.Max(curve.IndexOf(report.Rung), curve.IndexOf(report.Target));
            _known.Add(known);
            _sessions.Add(new PlanSession(
                report.Tokens, SharedBytes: 0, target, Math.Max(curve.IndexOf(report.Floor), report.MayRise ? 0 : target), report.Weight,
                known.IdleSince is { } since ? time.GetElapsedTime(since, now).TotalSeconds : 0, report.MayRise));
        }
    }

    // What does not fit a message is planned again with the next report.
    private RungAssignment[] Changes(WorkerCurve curve, int[] rungs)
    {
        List<RungAssignment> changes = [];
        int bytes = 0;
        for (int i = 0; i < rungs.Length && bytes < MaxListBytes; i++)
        {
            string rung = curve.Ladder.Name(rungs[i]);
            bool isThere = rungs[i] == _sessions[i].Rung && _known[i].Assigned is null;
            if (!isThere && _known[i].Assigned != rung)
            {
                _known[i].Assigned = rung;
                string key = _known[i].Report.SequenceKey;
                changes.Add(new RungAssignment(key, rung));
                bytes += (6 * key.Length) + EntryBytes;
            }
        }
        return [.. changes];
    }
}
