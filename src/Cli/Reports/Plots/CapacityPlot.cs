namespace Concertina.Cli.Reports.Plots;

/// <summary>Bars: how many sessions of 8,192 tokens one GiB holds, by rung.</summary>
internal static class CapacityPlot
{
    private const long GiB = 1L << 30;
    private const int SessionTokens = 8192;
    private const int Width = 900;
    private const int Top = 74;
    private const int Step = 24;
    private const int BarHeight = 16;
    private const int Left = 190;
    private const int Right = 150;

    /// <summary>
    /// Bytes per token of llama.cpp's cache for the demo model's 2,048 numbers per token: 2 each; blocks of 32 take 34 (q8_0) or
    /// 18 bytes (q4_0). Source: block_q8_0 and block_q4_0 of ggml.
    /// </summary>
    private static readonly (string Name, double Bytes)[] LlamaCpp =
    [
        ("llama.cpp f16 (computed)", 4096), ("llama.cpp q8_0 (computed)", 2176), ("llama.cpp q4_0 (computed)", 1152),
    ];

    /// <summary>Sessions in one GiB.</summary>
    public static long Sessions(double bytesPerToken) => (long)Math.Floor(GiB / (bytesPerToken * SessionTokens));

    /// <summary>The picture.</summary>
    public static string Of(PlottedRungs rungs)
    {
        (string Name, string Style, double Bytes)[] bars =
        [
            .. rungs.Rungs.Select(rung => (rung.Name, Style: RungFamily.Style(rung.Name), Bytes: rung.BytesPerToken))
                .Concat(IsDemoShape(rungs) ? LlamaCpp.Select(bar => (bar.Name, Style: "other", bar.Bytes)) : [])
                .OrderByDescending(bar => bar.Bytes).ThenBy(bar => bar.Name, StringComparer.Ordinal),
        ];
        Picture picture = new((Width, Top + (bars.Length * Step) + 20), "Sessions per GiB",
            $"Sessions of 8,192 tokens that fit in one GiB, {rungs.Model}: " +
            string.Join(", ", bars.Select(bar => $"{bar.Name} {Figures.Count(Sessions(bar.Bytes))}")) + ".");
        picture.Text("title", (20, 30), "Sessions of 8,192 tokens in one GiB of KV cache");
        picture.Text("note", (20, 50), $"{rungs.Model}; measured bytes per token, all-in"
            + (IsDemoShape(rungs) ? "; llama.cpp computed from its block sizes, not measured" : ""));
        double most = Math.Max(1, bars.Max(bar => Sessions(bar.Bytes)));
        for (int bar = 0; bar < bars.Length; bar++)
        {
            double y = Top + (bar * Step);
            long sessions = Sessions(bars[bar].Bytes);
            double length = Math.Max(1, (Width - Left - Right) * (sessions / most));
            picture.Text("end", (Left - 10, y + 12.5), bars[bar].Name);
            picture.Box(bars[bar].Style, (Left, y), (length, BarHeight));
            picture.Text("value", (Left + length + 8, y + 12.5), $"{Figures.Count(sessions)}  ({Figures.Bytes(bars[bar].Bytes)} B/token)");
        }
        picture.Line("axis", (Left, Top - 6), (Left, Top + (bars.Length * Step) - 2));
        return picture.ToString();
    }

    // The figures of llama.cpp are of one shape of model; page lists add less than a hundredth to f16.
    private static bool IsDemoShape(PlottedRungs rungs) =>
        rungs.Rungs.FirstOrDefault(rung => rung.Name == "f16") is { } lossless && lossless.BytesPerToken is >= 4096 and < 4096 * 1.01;
}
