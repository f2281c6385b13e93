namespace Concertina.Cli.Reports.Plots;

/// <summary>Two logarithmic axes that hold all rungs.</summary>
internal sealed class PlotScale
{
    /// <summary>Room for labels beside the outermost points, as factors of bytes.</summary>
    private const double LeftRoom = 1.25;
    private const double RightRoom = 1.12;
    private readonly (double From, double To) _bytes;
    private readonly (double From, double To) _nats;
    private readonly (double From, double To) _across;
    private readonly (double From, double To) _up;

    private PlotScale((double From, double To) bytes, (double From, double To) nats, (double From, double To) across, (double From, double To) up) =>
        (_bytes, _nats, _across, _up) = (bytes, nats, across, up);

    /// <summary>Powers of ten of divergence.</summary>
    public IEnumerable<double> Decades => Enumerable.Range(-20, 31).Select(power => Math.Pow(10, power)).Where(decade => IsIn(decade, _nats));

    /// <summary>Round numbers of bytes: powers of two and the middles between.</summary>
    public IEnumerable<double> Bytes =>
        Enumerable.Range(0, 30).SelectMany(power => new[] { Math.ScaleB(1, power), Math.ScaleB(1.5, power) }).Where(bytes => IsIn(bytes, _bytes));

    /// <summary>Chooses the ranges.</summary>
    /// <param name="rungs">What is to be shown.</param>
    /// <param name="across">Pixels of fewest and most bytes.</param>
    /// <param name="up">Pixels of least and greatest divergence.</param>
    public static PlotScale Of(IReadOnlyList<RungSummary> rungs, (double From, double To) across, (double From, double To) up)
    {
        double[] nats = [.. rungs.Select(rung => rung.MeanKl).Where(value => value > 0).DefaultIfEmpty(0.001)];
        double least = Math.Pow(10, Math.Floor(Math.Log10(nats.Min())));
        // At least a decade, and a little room for labels above the worst.
        double most = Math.Max(10 * least, 1.6 * nats.Max());
        return new PlotScale(
            (rungs.Min(rung => rung.BytesPerToken) / LeftRoom, rungs.Max(rung => rung.BytesPerToken) * RightRoom), (least, most), across, up);
    }

    /// <summary>Pixel of bytes.</summary>
    public double X(double bytes) => Place(bytes, _bytes, _across);

    /// <summary>Pixel of a divergence above zero.</summary>
    public double Y(double nats) => Place(nats, _nats, _up);

    private static double Place(double value, (double From, double To) range, (double From, double To) pixels) =>
        pixels.From + ((pixels.To - pixels.From) * (Math.Log(value / range.From) / Math.Log(range.To / range.From)));

    private static bool IsIn(double value, (double From, double To) range) => value >= range.From * (1 - 1e-9) && value <= range.To;
}
