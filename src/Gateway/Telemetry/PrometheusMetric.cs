using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Concertina.Gateway.Telemetry;

/// <summary>One instrument and its series. Thread-safe.</summary>
internal sealed class PrometheusMetric
{
    private const int MaxSeries = 1_000;

    private static readonly double[] DefaultBounds =
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PrometheusSeries> _series = [];
    private readonly Action<PrometheusSeries, double> _take;
    private readonly double[]? _bounds;
    private readonly string _kind;
    private readonly string _help;
    private readonly string _meterLabels;

    public PrometheusMetric(Instrument instrument)
    {
        Type shape = instrument.GetType();
        string type = shape.IsGenericType ? shape.GetGenericTypeDefinition().Name : shape.Name;
        (_kind, _take) = type switch
        {
            "Counter`1" => ("counter", static (series, value) => series.Add(value)),
            "ObservableCounter`1" => ("counter", static (series, value) => series.Set(value)),
            "UpDownCounter`1" => ("gauge", static (series, value) => series.Add(value)),
            "Histogram`1" => ("histogram", (Action<PrometheusSeries, double>)(static (series, value) => series.Observe(value))),
            _ => ("gauge", static (series, value) => series.Set(value)),
        };
        Name = PrometheusNames.Metric(instrument, _kind == "counter");
        _meterLabels = Labels([.. instrument.Meter.Tags ?? []]);
        _help = instrument.Description ?? instrument.Name;
        _bounds = _kind == "histogram" ? BoundsOf(instrument) : null;
        Observed = instrument.IsObservable;
        Instrument = instrument.Name;
    }

    public string Name { get; }

    /// <summary>OpenTelemetry name.</summary>
    public string Instrument { get; }

    /// <summary>Values of counters and gauges by their labels.</summary>
    public KeyValuePair<string, double>[] Values
    {
        get
        {
            lock (_gate)
            {
                return [.. _series.Select(series => KeyValuePair.Create(series.Key, series.Value.Value))];
            }
        }
    }

    /// <summary>True when its values are read at each scrape; series that are no longer reported then vanish.</summary>
    public bool Observed { get; }

    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = Join(_meterLabels, Labels(tags));
        lock (_gate)
        {
            if (_series.Count >= MaxSeries && !_series.ContainsKey(labels))
            {
                // A tag that is not from a closed set; one series says so instead of filling memory.
                labels = Join(_meterLabels, "overflow=\"true\"");
            }
            if (!_series.TryGetValue(labels, out PrometheusSeries? series))
            {
                _series[labels] = series = new PrometheusSeries(labels, _bounds);
            }
            _take(series, value);
        }
    }

    public void Forget()
    {
        lock (_gate)
        {
            _series.Clear();
        }
    }

    /// <param name="text">Receives the metric.</param>
    /// <param name="withHeader">False for a second instrument of the same name, whose series join the first one's.</param>
    /// <returns>True when there was something to write.</returns>
    public bool Write(StringBuilder text, bool withHeader)
    {
        lock (_gate)
        {
            if (_series.Count == 0)
            {
                return false;
            }
            if (withHeader)
            {
                text.Append("# HELP ").Append(Name).Append(' ').Append(Escaped(_help)).Append('\n');
                text.Append("# TYPE ").Append(Name).Append(' ').Append(_kind).Append('\n');
            }
            foreach (PrometheusSeries series in _series.Values)
            {
                series.Write(text, Name);
            }
            return true;
        }
    }

    private static string Join(string first, string second) =>
        first.Length == 0 ? second : second.Length == 0 ? first : $"{first},{second}";

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0)
        {
            return "";
        }
        StringBuilder labels = new();
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            string value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
            labels.Append(labels.Length == 0 ? "" : ",").Append(PrometheusNames.Label(tag.Key)).Append("=\"");
            labels.Append(Escaped(value).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }
        return labels.ToString();
    }

    private static string Escaped(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => DefaultBounds,
    };
}
