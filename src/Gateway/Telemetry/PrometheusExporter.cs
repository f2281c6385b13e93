using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Concertina.Gateway.Telemetry;

/// <summary>
/// Listens to every meter of the product in this process and writes Prometheus text. The exporter packages of
/// OpenTelemetry are pre-releases; this one has no dependency and the table of names we need.
/// </summary>
internal sealed class PrometheusExporter : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    private const string MeterPrefix = "Concertina.";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, PrometheusMetric> _metrics = new();
    private readonly Lock _scrape = new();

    public PrometheusExporter(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // A scope is the container that made the meter: another host in this process has its own exporter.
            bool ours = instrument.Meter.Scope is null || ReferenceEquals(instrument.Meter.Scope, meters);
            if (ours && instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument, _metrics.GetOrAdd(instrument, static i => new PrometheusMetric(i)));
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _metrics.TryRemove(instrument, out PrometheusMetric? _);
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => ((PrometheusMetric)state!).Take(value, tags));
        // Now, not with the host's services: counters that go up and down lose what they counted before.
        _listener.Start();
    }

    /// <summary>Everything measured so far, observable instruments read now.</summary>
    public string Scrape()
    {
        lock (_scrape)
        {
            foreach (PrometheusMetric metric in _metrics.Values.Where(metric => metric.Observed))
            {
                metric.Forget();
            }
            _listener.RecordObservableInstruments();
            StringBuilder text = new();
            foreach (IGrouping<string, PrometheusMetric> named in _metrics.Values.GroupBy(metric => metric.Name, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
            {
                bool written = false;
                foreach (PrometheusMetric metric in named)
                {
                    written |= metric.Write(text, withHeader: !written);
                }
            }
            WriteDerived(text);
            return text.ToString();
        }
    }

    private void WriteDerived(StringBuilder text)
    {
        foreach ((string name, string kind, string first, string second, Func<double, double, double> rule) in PrometheusNames.Derived)
        {
            Dictionary<string, double> others = Values(second);
            (string Labels, double Value)[] series =
                [.. Values(first).Where(one => others.ContainsKey(one.Key)).Select(one => (one.Key, rule(one.Value, others[one.Key])))];
            if (series.Length > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"# HELP {name} From {first} and {second}.\n# TYPE {name} {kind}\n");
            }
            foreach ((string labels, double value) in series)
            {
                text.Append(name).Append(labels.Length == 0 ? "" : $"{{{labels}}}").Append(CultureInfo.InvariantCulture, $" {value}\n");
            }
        }
    }

    private Dictionary<string, double> Values(string instrument) => _metrics.Values
        .Where(metric => metric.Instrument == instrument)
        .SelectMany(metric => metric.Values)
        .GroupBy(series => series.Key, series => series.Value, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Sum(), StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
