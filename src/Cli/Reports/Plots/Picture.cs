using System.Globalization;
using System.Xml.Linq;

namespace Concertina.Cli.Reports.Plots;

/// <summary>An SVG under construction: well-formed because it is a tree, legible on light and dark grounds, without fonts of its own.</summary>
internal sealed class Picture
{
    /// <summary>Width of a letter of a label, about, in pixels.</summary>
    public const double LetterWidth = 7.2;

    private const string Style =
        """
        text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12px; fill: #24292f; }
        .title { font-size: 16px; font-weight: 600; }
        .note { fill: #57606a; }
        .middle { text-anchor: middle; }
        .end { text-anchor: end; }
        .ground { fill: #ffffff; }
        .grid { stroke: #d0d7de; stroke-width: 1; }
        .axis { stroke: #57606a; stroke-width: 1.2; }
        .leader { stroke: #8c959f; stroke-width: 0.8; }
        .hull { fill: none; stroke: #57606a; stroke-width: 1.6; stroke-dasharray: 6 4; }
        .lossless { fill: #6e7781; stroke: #6e7781; }
        .row { fill: #3b78c4; stroke: #3b78c4; }
        .vector { fill: #2f9e6e; stroke: #2f9e6e; }
        .latent { fill: #8a5fb8; stroke: #8a5fb8; }
        .evict { fill: #c9781d; stroke: #c9781d; }
        .decided { fill: #b8476b; stroke: #b8476b; }
        .other { fill: #9a6bc4; stroke: #9a6bc4; }
        .step0 { fill: #8c959f; stroke: none; }
        .step1 { fill: #9ec5ea; stroke: none; }
        .step2 { fill: #6aa6dc; stroke: none; }
        .step3 { fill: #3b78c4; stroke: none; }
        .step4 { fill: #2a5591; stroke: none; }
        .step5 { fill: #2f9e6e; stroke: none; }
        .step6 { fill: #1d6b4a; stroke: none; }
        .step7 { fill: #c9781d; stroke: none; }
        .curve { fill: none; stroke: #57606a; stroke-width: 1.6; }
        .curve1 { fill: none; stroke: #3b78c4; stroke-width: 2.4; }
        .curve2 { fill: none; stroke: #c9781d; stroke-width: 2.4; }
        .curve3 { fill: none; stroke: #9a6bc4; stroke-width: 2.4; }
        .arm { fill: none; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6edf3; }
          .note { fill: #9ba7b4; }
          .ground { fill: #0d1117; }
          .grid { stroke: #30363d; }
          .axis, .hull, .curve { stroke: #9ba7b4; }
          .leader { stroke: #6e7781; }
        }
        """;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private readonly XElement _root;

    /// <summary>An empty one.</summary>
    /// <param name="size">Pixels.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="description">The same for those who cannot see it.</param>
    public Picture((int Width, int Height) size, string title, string description)
    {
        _root = new XElement(Svg + "svg",
            new XAttribute("width", size.Width), new XAttribute("height", size.Height),
            new XAttribute("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {size.Width} {size.Height}")),
            new XAttribute("role", "img"), new XAttribute("aria-labelledby", "title description"),
            new XElement(Svg + "title", new XAttribute("id", "title"), title),
            new XElement(Svg + "desc", new XAttribute("id", "description"), description),
            new XElement(Svg + "style", "\n" + Style.ReplaceLineEndings("\n") + "\n"));
        Box("ground", (0, 0), (size.Width, size.Height));
    }

    public void Line(string style, (double X, double Y) from, (double X, double Y) to) => Add("line", style,
        ("x1", Number(from.X)), ("y1", Number(from.Y)), ("x2", Number(to.X)), ("y2", Number(to.Y)));

    public void Path(string style, IEnumerable<(double X, double Y)> points) =>
        Add("polyline", style, ("points", string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"))));

    public void Area(string style, IEnumerable<(double X, double Y)> points) =>
        Add("polygon", style, ("points", string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"))));

    public void Dot(string style, (double X, double Y) at) => Add("circle", style, ("cx", Number(at.X)), ("cy", Number(at.Y)), ("r", "4.5"));

    public void Box(string style, (double X, double Y) corner, (double Width, double Height) size) => Add("rect", style,
        ("x", Number(corner.X)), ("y", Number(corner.Y)), ("width", Number(size.Width)), ("height", Number(size.Height)));

    /// <summary>Text on a base line; turned: from below to above.</summary>
    public void Text(string style, (double X, double Y) at, string text, bool turned = false)
    {
        XElement added = Add("text", style, ("x", Number(at.X)), ("y", Number(at.Y)));
        added.Value = text;
        if (turned)
        {
            added.SetAttributeValue("transform", $"rotate(-90 {Number(at.X)} {Number(at.Y)})");
        }
    }

    /// <summary>The file's text.</summary>
    public override string ToString() => _root.ToString().ReplaceLineEndings("\n") + "\n";

    private static string Number(double value) => double.IsFinite(value)
        ? value.ToString("0.##", CultureInfo.InvariantCulture)
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A place in a picture must be finite.");

    private XElement Add(string name, string style, params IEnumerable<(string Name, string Value)> attributes)
    {
        XElement added = new(Svg + name, new XAttribute("class", style), attributes.Select(attribute => new XAttribute(attribute.Name, attribute.Value)));
        _root.Add(added);
        return added;
    }
}
