namespace Concertina.Cli.Reports;

/// <summary>Mean and range of one figure over seeds.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Low">Least.</param>
/// <param name="High">Greatest.</param>
internal readonly record struct Spread(double Mean, double Low, double High)
{
    /// <summary>Of at least one value.</summary>
    public static Spread Of(IReadOnlyCollection<double> values) => new(values.Average(), values.Min(), values.Max());

    /// <summary>The mean, and the range where seeds differ in the digits shown.</summary>
    public string Text(Func<double, string> format) =>
        format(Low) == format(High) ? format(Mean) : $"{format(Mean)} ({format(Low)} to {format(High)})";
}
