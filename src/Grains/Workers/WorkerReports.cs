using Concertina.Compute.Engine;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Workers;

/// <summary>
/// Turns what a worker holds into reports: a full list first and after each epoch, then changes only, and at least one
/// report a second. A long list is spread over several reports below the message limit. One thread at a time.
/// </summary>
internal sealed class WorkerReports(TimeProvider time)
{
    /// <summary>Longest silence of a worker without changes.</summary>
    public static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(1);

    private const int MaxListBytes = 40 << 10;
    private Dictionary<string, SequenceSnapshot> _sent = [];
    private WorkerLoad? _load;
    private KvCurve? _curve;
    private long _sequence;
    private long _sentAt;
    private bool _full = true;

    /// <summary>The next report lists all sessions.</summary>
    public void SendFull() => _full = true;

    /// <summary>The reports that are due; none when nothing has changed.</summary>
    /// <param name="load">Load now.</param>
    /// <param name="sequences">What it holds now.</param>
    /// <param name="curve">What its rungs cost, told with each full list and when it is known; null: not known.</param>
    public IReadOnlyList<WorkerReport> Due(WorkerLoad load, IReadOnlyList<SequenceSnapshot> sequences, KvCurve? curve = null)
    {
        if (_load?.Epoch != load.Epoch)
        {
            _full = true;
            _sequence = 0;
        }
        Dictionary<string, SequenceSnapshot> now = sequences.DistinctBy(sequence => sequence.Key).ToDictionary(sequence => sequence.Key);
        SequenceSnapshot[] changed = [.. now.Values.Where(sequence => _full || !_sent.TryGetValue(sequence.Key, out SequenceSnapshot sent) || sent != sequence)];
        string[] gone = _full ? [] : [.. _sent.Keys.Where(key => !now.ContainsKey(key))];
        bool due = _full || changed.Length > 0 || gone.Length > 0 || load != _load || curve != _curve || time.GetElapsedTime(_sentAt) >= AtLeastEvery;
        if (!due)
        {
            return [];
        }
        List<WorkerReport> reports = Split(load, changed, gone, curve);
        _sent = now;
        (_load, _curve) = (load, curve);
        _sentAt = time.GetTimestamp();
        _full = false;
        return reports;
    }

    private List<WorkerReport> Split(WorkerLoad load, SequenceSnapshot[] changed, string[] gone, KvCurve? curve)
    {
        List<WorkerReport> reports = [];
        Queue<SequenceSnapshot> sessions = new(changed);
        Queue<string> left = new(gone);
        do
        {
            int bytes = 0;
            List<SessionReport> part = [];
            List<string> partGone = [];
            while (sessions.Count > 0 && bytes < MaxListBytes)
            {
                SequenceSnapshot session = sessions.Dequeue();
                part.Add(Message(session));
                bytes += WireBytes(session.Key);
            }
            while (left.Count > 0 && bytes < MaxListBytes)
            {
                partGone.Add(left.Dequeue());
                bytes += WireBytes(partGone[^1]);
            }
            reports.Add(new WorkerReport
            {
                Load = load,
                Sequence = ++_sequence,
                Full = _full && reports.Count == 0,
                Sessions = [.. part],
                Gone = [.. partGone],
                Curve = reports.Count == 0 && (_full || curve != _curve) ? curve : null,
                Continues = sessions.Count > 0 || left.Count > 0,
            });
        }
        while (sessions.Count > 0 || left.Count > 0);
        return reports;
    }

    private static SessionReport Message(in SequenceSnapshot session) => new(session.Key, session.WarmTokens, session.KvBytes, session.Rung, session.Running)
    {
        Target = session.Target,
        Floor = session.Floor,
        Weight = session.Weight,
        MayRise = session.MayRise,
    };

    // A key's worst case on the wire is six bytes a character (an escape); the other members of an entry need at most 320.
    private static int WireBytes(string key) => (6 * key.Length) + 320;
}
