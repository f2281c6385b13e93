using System.Diagnostics;
using System.Diagnostics.Metrics;
using Concertina.Runtime.Calls;
using Orleans;

namespace Concertina.Runtime.Hosting;

/// <summary>Instruments of the grain host. Tags are interface, method and outcome: closed sets.</summary>
internal sealed class RuntimeMetrics : IDisposable
{
    internal const string MeterName = "Concertina.Runtime";

    private readonly Meter _meter;
    private readonly UpDownCounter<long> _activations;
    private readonly Counter<long> _activationFailures;
    private readonly Counter<long> _deactivations;
    private readonly Histogram<double> _callDuration;
    private readonly Counter<long> _timeouts;
    private readonly Counter<long> _refusals;

    public RuntimeMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(MeterName);
        _activations = _meter.CreateUpDownCounter<long>("grain.activation.count", "{activation}", "Activations in memory.");
        _activationFailures = _meter.CreateCounter<long>("grain.activation.failures", "{activation}", "Activations that failed to begin.");
        _deactivations = _meter.CreateCounter<long>("grain.deactivations", "{activation}", "Activations that ended, by reason.");
        _callDuration = _meter.CreateHistogram<double>(
            "grain.call.duration",
            "s",
            "From sending a call to its answer.",
            null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10],
            });
        _timeouts = _meter.CreateCounter<long>("grain.call.timeouts", "{call}", "Calls without an answer in time.");
        _refusals = _meter.CreateCounter<long>("grain.mailbox.refusals", "{call}", "Calls refused because a mailbox was full.");
    }

    internal bool MeasuresCalls => _callDuration.Enabled;

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    internal void Activated() => _activations.Add(1);

    internal void ActivationFailed() => _activationFailures.Add(1);

    internal void Deactivated(DeactivationReasonCode reason)
    {
        _activations.Add(-1);
        _deactivations.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));
    }

    internal void Called(GrainMethod method, TimeSpan duration, string outcome)
    {
        TagList tags = TagsOf(method);
        tags.Add("outcome", outcome);
        _callDuration.Record(duration.TotalSeconds, tags);
    }

    internal void TimedOut(GrainMethod method) => _timeouts.Add(1, TagsOf(method));

    internal void Refused(GrainMethod method) => _refusals.Add(1, TagsOf(method));

    private static TagList TagsOf(GrainMethod method) => new()
    {
        { "rpc.service", method.Owner.Name },
        { "rpc.method", method.Name },
    };
}
