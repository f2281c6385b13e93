using System.Diagnostics.Metrics;
using Concertina.Compute.Engine;
using Concertina.Compute.Store;
using Concertina.Grains.Workers;

namespace Concertina.Silo;

/// <summary>What the silo tells beside its engine: memory of the process and of the weights, bytes on disk.</summary>
internal sealed class SiloMetrics
{
    public const string MeterName = "Concertina.Silo";

    private readonly Counter<long> _failedRungs;

    public SiloMetrics(IMeterFactory meters, LocalWorker worker, SessionTokenStore store)
    {
        Meter meter = meters.Create(MeterName);
        meter.CreateObservableGauge("process.resident_memory", () => Environment.WorkingSet, "By", "Resident memory of the process.");
        meter.CreateObservableGauge("engine.weights.size", () => worker.Served?.Facts.WeightBytes ?? 0, "By", "Bytes of the weights in memory.");
        meter.CreateObservableGauge("session.files.size", () => store.UsedBytes, "By", "Bytes of all session files.");
        meter.CreateObservableGauge("kv_cache.tier.size", () => ByTier(worker, store), "By", "Bytes of KV in memory and in page files, by tier.");
        meter.CreateObservableCounter("session.files.faults", () => Faults(store), "{file}", "Token files that could not be read whole, or not be written, by reason.");
        meter.CreateObservableGauge("kv_cache.ratio", () => Ratio(worker), "1", "Bytes that what is in memory would take on the lossless rung, by the bytes it takes; 1 while nothing is.");
        _failedRungs = meter.CreateCounter<long>("kv_cache.rung.failed", "{rung}", "Rungs that failed their self-test and left the ladder.");
    }

    private static double Ratio(LocalWorker worker)
    {
        (long lossless, long held) = (0, 0);
        foreach (SequenceSnapshot sequence in worker.Served?.Engine.Sequences() ?? [])
        {
            lossless += sequence.LosslessBytes;
            held += sequence.KvBytes;
        }
        return held == 0 ? 1 : (double)lossless / held;
    }

    private static Measurement<long>[] ByTier(LocalWorker worker, SessionTokenStore store) =>
    [
        new(worker.Served?.Engine.Snapshot.Kv.UsedBytes ?? 0, new KeyValuePair<string, object?>("tier", "memory")),
        new(store.PageFiles.Bytes, new KeyValuePair<string, object?>("tier", "disk")),
    ];

    private static IEnumerable<Measurement<long>> Faults(SessionTokenStore store) =>
        from fault in Enum.GetValues<SessionFileFault>()
        where fault is not (SessionFileFault.None or SessionFileFault.Missing)
        select new Measurement<long>(store.Faults(fault), new KeyValuePair<string, object?>("reason", fault.ToString()));

    public void RungFailed(string rung) => _failedRungs.Add(1, new KeyValuePair<string, object?>("rung", rung));
}
