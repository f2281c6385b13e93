using System.Diagnostics.Metrics;
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
        _failedRungs = meter.CreateCounter<long>("kv_cache.rung.failed", "{rung}", "Rungs that failed their self-test and left the ladder.");
    }

    public void RungFailed(string rung) => _failedRungs.Add(1, new KeyValuePair<string, object?>("rung", rung));
}
