using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Budget;

/// <summary>What is known of one worker: its latest load and the sessions it has reported, in its current epoch.</summary>
internal sealed class WorkerRecord
{
    private readonly Dictionary<string, KnownSession> _sessions = [];

    /// <summary>Latest load.</summary>
    public required WorkerLoad Load { get; set; }

    /// <summary>Number of the last report taken in this epoch.</summary>
    public required long Sequence { get; set; }

    /// <summary>Timestamp of the last report.</summary>
    public required long HeardAt { get; set; }

    /// <summary>False until a full list was received without a gap.</summary>
    public bool Complete { get; set; }

    /// <summary>True while the rest of a list is on its way.</summary>
    public bool Continues { get; private set; }

    /// <summary>What its rungs cost; null: it has not said so, and nothing is planned for it.</summary>
    public WorkerCurve? Curve { get; private set; }

    /// <summary>Sessions whose units this worker holds.</summary>
    public IReadOnlyCollection<KnownSession> Sessions => _sessions.Values;

    /// <summary>Whether it holds a session's units.</summary>
    public bool Holds(string sequenceKey) => _sessions.ContainsKey(sequenceKey);

    /// <summary>Takes what a report changes.</summary>
    /// <param name="report">The report.</param>
    /// <param name="now">Timestamp of its arrival.</param>
    public void Apply(WorkerReport report, long now)
    {
        if (report.Full)
        {
            _sessions.Clear();
        }
        if (report.Curve is { } curve)
        {
            Curve = new WorkerCurve(curve);
        }
        Continues = report.Continues;
        foreach (string gone in report.Gone)
        {
            _sessions.Remove(gone);
        }
        foreach (SessionReport session in report.Sessions)
        {
            Apply(session, now);
        }
    }

    private void Apply(SessionReport session, long now)
    {
        if (!_sessions.TryGetValue(session.SequenceKey, out KnownSession? known))
        {
            _sessions[session.SequenceKey] = new KnownSession { Report = session, IdleSince = session.Running ? null : now };
            return;
        }
        // Another floor may have changed what became of the assignment.
        known.Assigned = session.Floor == known.Report.Floor ? known.Assigned : null;
        known.Report = session;
        known.IdleSince = session.Running ? null : known.IdleSince ?? now;
    }
}
