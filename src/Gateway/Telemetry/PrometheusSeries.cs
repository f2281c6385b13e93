using System.Globalization;
using System.Text;

namespace Concertina.Gateway.Telemetry;

/// <summary>One series of a metric: a value, or the buckets of a histogram. Guarded by its metric.</summary>
internal sealed class PrometheusSeries(string labels, double[]? bounds)
{
    private readonly long[] _buckets = bounds is null ? [] : new long[bounds.Length + 1];
    private double _value;
    private long _count;

    public double Value => _value;

    public void Set(double value) => _value = value;

    public void Add(double value) => _value += value;

    public void Observe(double value)
    {
        int bucket = Array.FindIndex(bounds!, bound => value <= bound);
        _buckets[bucket < 0 ? bounds!.Length : bucket]++;
        _value += value;
        _count++;
    }

    public void Write(StringBuilder text, string name)
    {
        if (bounds is null)
        {
            Line(text, name, labels, _value);
            return;
        }
        long cumulative = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            cumulative += _buckets[i];
            string bound = i < bounds.Length ? Number(bounds[i]) : "+Inf";
            string le = labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"";
            Line(text, $"{name}_bucket", le, cumulative);
        }
        Line(text, $"{name}_sum", labels, _value);
        Line(text, $"{name}_count", labels, _count);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
