using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Budget;

/// <summary>What is known of one worker: its latest load and the sessions it has reported, in its current epoch.</summary>
internal sealed class WorkerRecord
{
    private readonly HashSet<string> _sessions = [];

    /// <summary>Latest load.</summary>
    public required WorkerLoad Load { get; set; }

    /// <summary>Number of the last report taken in this epoch.</summary>
    public required long Sequence { get; set; }

    /// <summary>Timestamp of the last report.</summary>
    public required long HeardAt { get; set; }

    /// <summary>False until a full list was received without a gap.</summary>
    public bool Complete { get; set; }

    /// <summary>Sessions whose units this worker holds.</summary>
    public IReadOnlySet<string> Sessions => _sessions;

    public void Apply(WorkerReport report)
    {
        if (report.Full)
        {
            _sessions.Clear();
        }
        _sessions.ExceptWith(report.Gone);
        _sessions.UnionWith(report.Sessions.Select(session => session.SequenceKey));
    }
}
