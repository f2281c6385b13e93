using Concertina.Contracts.Budget;
using Concertina.Contracts.Workers;

namespace Concertina.Grains.Budget;

/// <summary>
/// The workers of one model, rebuilt from their reports alone. A report of an older epoch, or one that was seen before,
/// changes nothing; a gap asks for a full list. One thread at a time.
/// </summary>
internal sealed class WorkerTable(TimeProvider time)
{
    /// <summary>A worker not heard of for this long takes no new work. Workers report at least every second.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, WorkerRecord> _workers = [];
    private readonly RungAssigner _assigner = new(time);

    /// <summary>Takes a report.</summary>
    /// <returns>What the worker is told: the epoch known here, rungs its sessions are to move to, and whether a full list is needed.</returns>
    public RungAssignments Take(WorkerReport report)
    {
        WorkerLoad load = report.Load;
        _workers.TryGetValue(load.Worker, out WorkerRecord? known);
        if (known is not null && load.Epoch < known.Load.Epoch)
        {
            return new RungAssignments(known.Load.Epoch, []);
        }
        if (known is null || load.Epoch > known.Load.Epoch)
        {
            RemoveSilent();
            known = new WorkerRecord { Load = load, Sequence = report.Sequence, HeardAt = time.GetTimestamp() };
            _workers[load.Worker] = known;
        }
        else if (report.Sequence <= known.Sequence)
        {
            return new RungAssignments(known.Load.Epoch, [], !known.Complete);
        }
        else
        {
            known.Complete &= report.Sequence == known.Sequence + 1;
        }
        known.Complete |= report.Full;
        known.Sequence = report.Sequence;
        known.Load = load;
        known.HeardAt = time.GetTimestamp();
        known.Apply(report, known.HeardAt);
        return new RungAssignments(load.Epoch, _assigner.Assign(known), !known.Complete);
    }

    /// <summary>The worker that holds a session's units, if it is known and not silent.</summary>
    public WorkerLoad? Home(string sequenceKey) =>
        Heard().FirstOrDefault(worker => worker.Holds(sequenceKey))?.Load;

    /// <summary>Loads of all workers that are not silent, in the order of their keys.</summary>
    public IReadOnlyList<WorkerLoad> Loads() =>
        [.. Heard().Select(worker => worker.Load).OrderBy(load => load.Worker, StringComparer.Ordinal)];

    private void RemoveSilent()
    {
        foreach (string key in _workers.Keys.Except(Heard().Select(worker => worker.Load.Worker)).ToArray())
        {
            _workers.Remove(key);
        }
    }

    private IEnumerable<WorkerRecord> Heard() =>
        _workers.Values.Where(worker => time.GetElapsedTime(worker.HeardAt) < SilentAfter);
}
