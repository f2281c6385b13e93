using Concertina.Contracts.Workers;
using Orleans;

namespace Concertina.Contracts.Budget;

/// <summary>A worker's report to its budget grain, every 250 ms and at watermarks.</summary>
[GenerateSerializer]
[Immutable]
[Alias("concertina.worker-report")]
public sealed record WorkerReport
{
    /// <summary>Load and memory now.</summary>
    [Id(0)] public required WorkerLoad Load { get; init; }

    /// <summary>Counts up per epoch; the receiver drops a report that is not newer.</summary>
    [Id(1)] public required long Sequence { get; init; }

    /// <summary>
    /// True: the receiver forgets the sessions it knew of this worker; this report starts a list of all. False: only what
    /// changed since the report before, or the rest of a list that did not fit one message.
    /// </summary>
    [Id(2)] public required bool Full { get; init; }

    /// <summary>Sessions (all or changed); a list over 40 KiB is sent in several reports.</summary>
    [Id(3)] public SessionReport[] Sessions { get; init; } = [];

    /// <summary>Keys of sessions whose units left this worker since the last report.</summary>
    [Id(4)] public string[] Gone { get; init; } = [];

    /// <summary>What the rungs of its model cost: with each full list, and once the model is loaded; null: as before, or not known yet.</summary>
    [Id(5)] public KvCurve? Curve { get; init; }

    /// <summary>True when the rest of the list follows in the next report.</summary>
    [Id(6)] public bool Continues { get; init; }
}
