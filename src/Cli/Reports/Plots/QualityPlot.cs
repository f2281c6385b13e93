namespace Concertina.Cli.Reports.Plots;

/// <summary>Bytes per token against mean divergence, both logarithmic; no divergence at all is drawn on the axis.</summary>
internal static class QualityPlot
{
    private const int Width = 900;
    private const int Height = 520;
    private const double Left = 84;
    private const double Right = 876;
    private const double Top = 84;
    private const double Bottom = 462;

    /// <summary>Room between the axis, which is zero, and the least decade.</summary>
    private const double ZeroRoom = 36;

    /// <summary>The picture.</summary>
    public static string Of(PlottedRungs plotted)
    {
        PlotScale scale = PlotScale.Of(plotted.Rungs, (Left, Right), (Bottom - ZeroRoom, Top));
        IReadOnlyList<RungSummary> hull = RungHull.Of(plotted.Rungs);
        Picture picture = new((Width, Height), "Quality against bytes",
            $"Bytes per token and mean divergence from lossless of each rung, {plotted.Model}: " +
            string.Join("; ", plotted.Rungs.Select(rung => $"{rung.Name} {Figures.Bytes(rung.BytesPerToken)} bytes, {Figures.Nats(rung.MeanKl)} nats")) + ".");
        Axes(picture, scale, plotted.Model);
        (double X, double Y)[] line = [.. hull.Select(rung => At(rung, scale))];
        picture.Path("hull", line);
        (double X, double Y)[] points = [.. plotted.Rungs.Select(rung => At(rung, scale))];
        LabelLayout layout = new((Left + 4, Top, Right, Bottom - 4), points, line);
        for (int rung = 0; rung < points.Length; rung++)
        {
            string name = plotted.Rungs[rung].Name;
            (double X, double Y, double Width) label = layout.Place(points[rung], name);
            if (LabelLayout.Leader(points[rung], label) is { } end)
            {
                picture.Line("leader", points[rung], end);
            }
            picture.Dot(RungFamily.Style(name), points[rung]);
            (string anchor, double x) = Anchor(points[rung].X, label);
            picture.Text(anchor, (x, label.Y + 11), name);
        }
        return picture.ToString();
    }

    private static (double X, double Y) At(RungSummary rung, PlotScale scale) =>
        (scale.X(rung.BytesPerToken), rung.MeanKl > 0 ? scale.Y(rung.MeanKl) : Bottom);

    // A label stands at the side that faces its point, so that a font of another width does not cover it.
    private static (string Style, double X) Anchor(double point, (double X, double Y, double Width) label) =>
        label.X >= point ? ("start", label.X)
        : label.X + label.Width <= point ? ("end", label.X + label.Width)
        : ("middle", label.X + (label.Width / 2));

    private static void Axes(Picture picture, PlotScale scale, string model)
    {
        picture.Text("title", (20, 30), $"What memory costs in quality: {model}");
        Key(picture);
        foreach (double decade in scale.Decades)
        {
            picture.Line("grid", (Left, scale.Y(decade)), (Right, scale.Y(decade)));
            picture.Text("note end", (Left - 8, scale.Y(decade) + 4), Figures.Nats(decade));
        }
        foreach (double bytes in scale.Bytes)
        {
            picture.Line("grid", (scale.X(bytes), Top), (scale.X(bytes), Bottom));
            picture.Text("note middle", (scale.X(bytes), Bottom + 18), Figures.Count(bytes));
        }
        picture.Line("axis", (Left, Bottom), (Right, Bottom));
        picture.Line("axis", (Left, Top), (Left, Bottom - ZeroRoom));
        picture.Text("note end", (Left - 8, Bottom + 4), "0");
        picture.Text("middle", ((Left + Right) / 2, Height - 16), "bytes per token at 8,192 tokens, all-in (fewer to the left)");
        picture.Text("middle", (22, (Top + Bottom) / 2), "mean KL from lossless, nats per token (lower is better)", turned: true);
    }

    private static void Key(Picture picture)
    {
        double x = 26;
        foreach ((string style, string words) in RungFamily.Key)
        {
            picture.Dot(style, (x, 54));
            picture.Text("note", (x + 10, 58), words);
            x += 40 + (words.Length * Picture.LetterWidth);
        }
        picture.Line("hull", (x, 54), (x + 30, 54));
        picture.Text("note", (x + 38, 58), "lower hull");
    }
}
