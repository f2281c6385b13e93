namespace Concertina.Cli.Reports;

/// <summary>A method beside what it must beat.</summary>
/// <param name="Title">Heading.</param>
/// <param name="Question">What is compared, in a sentence.</param>
/// <param name="Arms">Rungs and what they are; the first is the method.</param>
internal sealed record Comparison(string Title, string Question, IReadOnlyList<(string Rung, string What)> Arms)
{
    private static readonly string[] RowRungs = ["int8", "k8v4", "int4", "k4v2", "int2"];

    /// <summary>Whether to say what the row codecs cost at the same bytes.</summary>
    public bool AgainstRowCodecs { get; init; }

    /// <summary>Whether the arms come from several files, as those that another option of the evaluation makes do.</summary>
    public bool AcrossFiles { get; init; }

    /// <summary>What the demo model's figures say, and why who loses does.</summary>
    public string Finding { get; init; } = "";

    /// <summary>The comparisons of the report.</summary>
    public static IReadOnlyList<Comparison> All { get; } =
    [
        new("Rotated int4 against plain int4", "Does the random rotation before quantization pay? Both take the same bytes.",
            [("int4", "rotated"), ("int4p", "plain")])
        {
            Finding = "The rotation takes about a quarter off the mean divergence on every seed, for no bytes; recall cannot tell the two apart at " +
                "four bits. Plain loses because a few large channels of the keys stretch the range of every row.",
        },
        new("CommVQ-2 against two-bit integers", "Do trained codebooks beat two-bit integers at equal all-in bytes (scales, exact parts and page lists included)?",
            [
                ("commvq2", "trained codebooks"), ("commvq2u", "codebooks not tied to the rotation of positions"),
                ("commvq2r", "untied, over keys as the positions rotated them"), ("commvq2m", "without the mean of the channels"),
                ("commvq2~bare", "first page and recent window squeezed too"), ("commvq2k", "keys alone"), ("commvq2v", "values alone"),
                ("int2g", "rotated, four tokens a scale: the bytes of CommVQ-2"), ("int2", "rotated, per token"),
                ("int2c", "KIVI-style: keys per channel, values per token"), ("int2c~bare", "the same without the first page and the window"),
            ])
        {
            AgainstRowCodecs = true,
            AcrossFiles = true,
            Finding = "At the same bytes trained codebooks diverge about a third as much as integers with coarser scales, and less than KIVI-style " +
                "ones that take a third more. Untied codebooks diverge a little less, recall no better and take 29 % more memory once, so the " +
                "tied ones stay. Keys after RoPE lose because one codeword would have to stand for every turn of it; without the mean the " +
                "codewords spend themselves on it. Most is lost in the keys. By the rule set before the measurement, CommVQ-2 passes on divergence and recall and fails on time: its attention " +
                "takes eight times the lossless one, where one and a half times that of `int4` was asked. So it is a rung to go to when memory " +
                "is short, and no default.",
        },
        new("XQuant against row quantizers", "Do latents of an SVD of the projections beat the keys and values themselves at equal all-in bytes?",
            [("xq3", "latents, three bits"), ("xq2", "two bits"), ("xq4", "four bits"), ("xq8", "eight bits"), ("int4", "rotated rows"), ("int2", "rotated rows")])
        {
            AgainstRowCodecs = true,
            Finding = "At the same bytes keys gain and values lose: keys are quantized per channel over the tokens of a page, values per token " +
                "across both heads, where one outlier of a head costs the other. Together they meet the row quantizers at eight and four " +
                "bits, lose a little at three and clearly at two. The model is small and has no outlier channels, which is where the paper's gain " +
                "comes from. Attention costs six times the lossless one.",
        },
        .. new[] { 2, 4 }.Select(Decided),
        .. new[] { 2, 4, 8 }.Select(Eviction),
    ];

    /// <summary>Lines of the section, filled from what was measured.</summary>
    public IEnumerable<string> Lines(IReadOnlyList<RunGroup> groups)
    {
        List<string> lines = [$"### {Title}", "", Question, ""];
        foreach (RunGroup group in Fitting(AcrossFiles ? RunGroup.OnTheSameText(groups) : groups))
        {
            lines.Add(Source(group));
            lines.AddRange(["", .. Table(group), ""]);
            lines.AddRange(Codebooks(group));
        }
        if (lines.Count == 4)
        {
            lines.AddRange([.. Table(new RunGroup("", [])), ""]);
        }
        return Finding.Length > 0 ? [.. lines, Finding, ""] : lines;
    }

    private static string Source(RunGroup group) =>
        group.IsPooled && group.SeedCount > 1
            ? $"From runs on the same text and questions ({group.Model}), {group.SeedCount} seeds: mean (least to greatest where the seeds differ)."
        : group.IsPooled ? $"From runs on the same text and questions ({group.Model}), one seed."
        : group.Runs.Count > 1 ? $"From `{group.Name}` ({group.Model}), {group.Runs.Count} seeds: mean (least to greatest where the seeds differ)."
        : $"From `{group.Name}.json` ({group.Model}), one seed.";

    private static Comparison Decided(int keepOneIn) => new(
        $"DMS keeping one token in {keepOneIn}",
        $"Does a model retrofitted with DMS for {keepOneIn}x lose less than KV-Compress evicting as much from it, and than int4? All on the retrofitted " +
            "model, against its own lossless run; evicted before the question is read.",
        [
            ($"f16+dms{keepOneIn}", "what the model marks"), ($"f16+evict{keepOneIn}", "squared attention of the last queries"),
            ("int4", "every token, rotated rows"), ($"int4+dms{keepOneIn}", "both"),
        ])
    {
        Finding = "The divergence of the text is that of KV-Compress, but the answers stay: the model was trained to keep what it will be asked for. " +
            "It multiplies with `int4`. What the retrofit itself costs is not in this table; the [card](../models/demo-dms/CARD.md) has it.",
    };

    private static Comparison Eviction(int keepOneIn) => new(
        $"KV-Compress keeping one token in {keepOneIn}",
        "Does eviction by squared attention, at rates per layer and head, beat simpler ways to evict as much? " +
            "In rows marked `asked` tokens are evicted once the question is read.",
        [
            ($"f16+evict{keepOneIn}~asked", "squared attention, rates per layer and head"),
            ($"f16+evict{keepOneIn}~l1asked", "attention not squared"),
            ($"f16+evict{keepOneIn}~nopoolasked", "scores not pooled over neighbours"),
            ($"f16+evict{keepOneIn}~uniformasked", "the same rate in every head"),
            ($"f16+evict{keepOneIn}~windowasked", "sliding window: the newest stay"),
            ($"f16+evict{keepOneIn}", "as the first, but evicted before the question is read"),
        ])
    {
        AcrossFiles = true,
        Finding = "Rates per layer and head decide the divergence, pooling decides recall: without it single digits of an answer are evicted from " +
            "between their neighbours. Squaring the attention makes no difference that these questions show. A window loses because the " +
            "answers are anywhere. Nothing helps when the question comes after the eviction.",
    };

    // Of groups that can compare those that compare most; else those that have a part of it, so that what is there is shown.
    private IEnumerable<RunGroup> Fitting(IReadOnlyList<RunGroup> groups)
    {
        RunGroup[] complete = [.. groups.Where(group => group.Find(Arms[0].Rung) is not null && Present(group) > 1)];
        return complete.Length > 0
            ? complete.Where(group => Present(group) == complete.Max(Present))
            : groups.Where(group => Present(group) > 0);
    }

    private int Present(RunGroup group) => Arms.Count(arm => group.Find(arm.Rung) is not null);

    private IEnumerable<string> Table(RunGroup group)
    {
        string[] names = ["rung", "bytes/token", "mean KL", "p99 KL", "top-1 %", "recall against lossless, points", $"mean KL to `{Arms[0].Rung}`"];
        RungSummary? method = group.Find(Arms[0].Rung);
        return
        [
            .. Figures.Head(AgainstRowCodecs ? [.. names, "mean KL of the row codecs at these bytes"] : names),
            .. Arms.Select(arm => Row($"`{arm.Rung}`: {arm.What}", group.Find(arm.Rung), method, group)),
        ];
    }

    private string Row(string name, RungSummary? rung, RungSummary? method, RunGroup group)
    {
        if (rung is null)
        {
            return Figures.Row([name, .. Enumerable.Repeat(Figures.NotMeasured, AgainstRowCodecs ? 7 : 6)]);
        }
        string[] cells =
        [
            name,
            rung.Of(seed => seed.BytesPerToken).Text(Figures.Bytes),
            rung.Of(seed => seed.MeanKl).Text(Figures.Nats),
            rung.Of(seed => seed.P99Kl).Text(Figures.Nats),
            rung.Of(seed => seed.Top1Agreement).Text(Figures.Percent),
            Figures.RecallDelta(rung),
            method is { MeanKl: > 0 } ? $"{Figures.Ratio(rung.MeanKl / method.MeanKl)}x" : "-",
        ];
        return Figures.Row(AgainstRowCodecs ? [.. cells, RowCodecsAt(rung.BytesPerToken, group)] : cells);
    }

    // Between two measured rungs the logarithms of bytes and divergence are taken to lie on a line.
    private static string RowCodecsAt(double bytes, RunGroup group)
    {
        RungSummary[] rungs = [.. RowRungs.Select(group.Find).OfType<RungSummary>().Where(rung => rung.MeanKl > 0).OrderBy(rung => rung.BytesPerToken)];
        int above = Array.FindIndex(rungs, rung => rung.BytesPerToken >= bytes);
        if (above < 0)
        {
            return rungs.Length > 0 ? $"none of {Figures.Bytes(bytes)} or more" : Figures.NotMeasured;
        }
        if (rungs[above].BytesPerToken == bytes)
        {
            return Figures.Nats(rungs[above].MeanKl);
        }
        if (above == 0)
        {
            return $"none so small; `{rungs[0].Name}` has {Figures.Bytes(rungs[0].BytesPerToken)} bytes";
        }
        (RungSummary low, RungSummary high) = (rungs[above - 1], rungs[above]);
        double share = Math.Log(bytes / low.BytesPerToken) / Math.Log(high.BytesPerToken / low.BytesPerToken);
        return $"{Figures.Nats(low.MeanKl * Math.Pow(high.MeanKl / low.MeanKl, share))} (between `{high.Name}` and `{low.Name}`)";
    }

    private IEnumerable<string> Codebooks(RunGroup measured)
    {
        string[] known = [..
            from arm in Arms
            let bytes = measured.Find(arm.Rung)?.CodebookBytes
            where bytes > 0
            select $"`{arm.Rung}` {Figures.Count(bytes.Value)} bytes"];
        return known.Length > 0 ? [$"Codebooks, once for all sessions and not in the bytes per token: {string.Join(", ", known)}.", ""] : [];
    }
}
