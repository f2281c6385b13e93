using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Concertina.Cli;
using Concertina.Cli.Benches;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Reports;
using Concertina.Cli.Reports.Plots;
using Concertina.Compute.Evaluation;

namespace Concertina.Grains.Tests.Cli;

public sealed class ReportTests
{
    private static readonly string[] Rungs =
    [
        "f16", "int8", "k8v4", "int4", "int4p", "k4v2", "int2", "int2c", "commvq2", "f16+evict2", "f16+evict2~asked", "f16+evict2~l1asked", "f16+evict4", "int4+evict2",
    ];

    private static readonly string[] EvictionArms = ["asked", "l1asked"];

    [Fact]
    public void Both_plots_are_xml_of_finite_numbers_that_label_each_rung_once()
    {
        using TemporaryFolder folder = new();
        Store(folder, "eval-demo", Result(1, Rungs));
        ReportFiles files = Write(folder, "out");
        foreach (string file in new[] { files.Plot, files.CapacityPlot })
        {
            string text = File.ReadAllText(file);
            Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\u221e", text, StringComparison.Ordinal);
            string[] labels = [.. XDocument.Parse(text).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];
            Assert.All(Rungs.Where(rung => !rung.Contains('~', StringComparison.Ordinal)), rung => Assert.Single(labels, rung));
            Assert.DoesNotContain("f16+evict2~l1asked", labels);
        }
    }

    [Fact]
    public void The_same_results_make_the_same_bytes_in_every_culture()
    {
        using TemporaryFolder folder = new();
        Store(folder, "eval-demo", Result(1, Rungs));
        ReportFiles first = Write(folder, "out");
        byte[][] bytes = [.. Outputs(first).Select(File.ReadAllBytes)];
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            // Made by hand: the tests run without the data of real cultures.
            var commas = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (commas.NumberFormat.NumberDecimalSeparator, commas.NumberFormat.NumberGroupSeparator) = (",", ".");
            commas.NumberFormat.NegativeSign = "\u2212";
            CultureInfo.CurrentCulture = commas;
            Assert.Equal(bytes, Outputs(Write(folder, "out")).Select(File.ReadAllBytes));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void A_rung_that_no_file_has_is_said_to_be_not_measured_and_one_that_is_there_is_not()
    {
        using TemporaryFolder folder = new();
        Store(folder, "eval-demo", Result(1, "f16", "int4", "int4p", "int2"));
        string[] lines = File.ReadAllLines(Write(folder, "out").Page);
        Assert.Contains("not measured", Assert.Single(lines, line => line.StartsWith("| `commvq2`: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("not measured", Assert.Single(lines, line => line.StartsWith("| `f16+evict8~windowasked`: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain("not measured", Assert.Single(lines, line => line.StartsWith("| `int4p`: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_of_one_name_are_shown_as_mean_and_range_and_each_on_its_own()
    {
        using TemporaryFolder folder = new();
        for (int seed = 1; seed <= 3; seed++)
        {
            Store(folder, $"eval-demo-seed{seed}", Result(seed, "f16", "int4", "int4p"));
        }
        string text = File.ReadAllText(Write(folder, "out").Page);
        Assert.Contains("### `eval-demo`, 3 seeds", text, StringComparison.Ordinal);
        Assert.Contains("### `eval-demo-seed3.json`", text, StringComparison.Ordinal);
        // The divergence of Result is seed times index over a thousand.
        Assert.Contains("| `int4`: rotated | 2,000.0 | 0.002 (0.001 to 0.003) |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Ways_of_evicting_stand_in_one_table_if_text_and_questions_are_the_same()
    {
        EvaluationResult asked = Result(1, "f16", "f16+evict2~asked");
        RunGroup[] groups = [
            new("a", [new EvaluationRun("a", asked)]),
            new("b", [new EvaluationRun("b", Result(1, "f16", "f16+evict2~l1asked"))]),
            new("c", [new EvaluationRun("c", Result(1, "f16", "f16+evict2~windowasked") with { Questions = asked.Questions + 1 })]),
        ];
        string[] lines = [.. Comparison.All.First(comparison => comparison.Title == "KV-Compress keeping one token in 2").Lines(groups)];
        string Row(string rung) => Assert.Single(lines, line => line.StartsWith($"| `{rung}`: ", StringComparison.Ordinal));
        Assert.DoesNotContain("not measured", Row("f16+evict2~asked"), StringComparison.Ordinal);
        Assert.DoesNotContain("not measured", Row("f16+evict2~l1asked"), StringComparison.Ordinal);
        Assert.Contains("not measured", Row("f16+evict2~windowasked"), StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_of_arms_in_several_files_are_one_row_each_with_the_interval_that_holds_all()
    {
        RunGroup[] groups = [.. from seed in Enumerable.Range(1, 3)
            from arm in EvictionArms
            group new EvaluationRun($"eval-{arm}-seed{seed}", Result(seed, "f16", $"f16+evict2~{arm}")) by arm into runs
            select new RunGroup(runs.Key, [.. runs])];
        string[] lines = [.. Comparison.All.First(comparison => comparison.Title == "KV-Compress keeping one token in 2").Lines(groups)];
        Assert.Contains(lines, line => line.Contains("3 seeds", StringComparison.Ordinal));
        RungSummary rung = RunGroup.OnTheSameText(groups)[0].Find("f16+evict2~l1asked")!;
        Assert.Equal(3, rung.Seeds.Count);
        RungEvaluation[] wide = [.. rung.Seeds.Select((seed, index) => seed with { RecallDelta = -0.01 * index, RecallCi95 = [(-0.01 * index) - 0.02, (-0.01 * index) + 0.01] })];
        Assert.Equal("-1.0 (-4.0 to +1.0)", Figures.RecallDelta(rung with { Seeds = wide }));
    }

    [Fact]
    public void The_table_of_an_arm_comes_from_the_runs_that_have_most_arms()
    {
        RunGroup few = new("few", [new EvaluationRun("few", Result(1, "f16", "int2", "commvq2", "int2c"))]);
        RunGroup many = new("many", [new EvaluationRun("many", Result(2, "f16", "int2", "commvq2", "commvq2u", "int2c") with { Questions = 7 })]);
        string[] lines = [.. Comparison.All[1].Lines([few, many])];
        Assert.Single(lines, line => line.StartsWith("| `commvq2`: ", StringComparison.Ordinal));
        Assert.DoesNotContain("not measured", Assert.Single(lines, line => line.StartsWith("| `commvq2u`: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Between_two_row_rungs_equal_bytes_are_interpolated_on_logarithms()
    {
        // int4 has 2,000 bytes and 0.001, int2 1,000 bytes and 0.004; half way on logarithms is 0.002.
        EvaluationResult result = Result(1, "f16", "int4", "int2", "commvq2");
        IReadOnlyList<RungEvaluation> rungs =
        [
            .. result.Rungs.Select(rung => rung.Rung switch
            {
                "int2" => rung with { BytesPerToken = 1000, MeanKl = 0.004 },
                "commvq2" => rung with { BytesPerToken = 1000 * Math.Sqrt(2), CodebookBytes = 12345 },
                _ => rung,
            }),
        ];
        RunGroup group = new("eval-x", [new EvaluationRun("eval-x", result with { Rungs = rungs })]);
        string text = string.Join('\n', Comparison.All[1].Lines([group]));
        Assert.Contains("| 0.002 (between `int4` and `int2`) |", text, StringComparison.Ordinal);
        Assert.Contains("`commvq2` 12,345 bytes", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_hull_has_the_lossless_rung_and_no_rung_that_a_mix_of_others_beats()
    {
        RungSummary[] rungs = [Rung("f16", 4000, 0), Rung("a", 2000, 0.001), Rung("worse", 2000, 0.002), Rung("above", 1500, 0.09), Rung("b", 1000, 0.1)];
        Assert.Equal(["f16", "a", "b"], RungHull.Of(rungs).Select(rung => rung.Name));
    }

    [Theory]
    [InlineData(4096, 32)]
    [InlineData(4098.5628, 31)]
    [InlineData(1152, 113)]
    public void Sessions_of_a_gibibyte_are_whole(double bytesPerToken, long sessions) => Assert.Equal(sessions, CapacityPlot.Sessions(bytesPerToken));

    [Fact]
    public void Labels_of_points_at_one_place_do_not_cover_each_other()
    {
        (double X, double Y)[] points = [(100, 100), (102, 101), (104, 100), (300, 100)];
        LabelLayout layout = new((0, 0, 400, 200), points, []);
        (double X, double Y, double Width)[] labels = [.. points.Select(point => layout.Place(point, "commvq2+evict2"))];
        for (int one = 0; one < labels.Length; one++)
        {
            for (int other = 0; other < one; other++)
            {
                (double X, double Y, double Width) a = labels[one], b = labels[other];
                Assert.False(a.X < b.X + b.Width && b.X < a.X + a.Width && Math.Abs(a.Y - b.Y) < 12);
            }
        }
    }

    [Fact]
    public void A_folder_without_results_and_a_file_that_is_none_are_refused_by_name()
    {
        using TemporaryFolder folder = new();
        Assert.Contains(folder.Path, Assert.Throws<CliException>(() => EvaluationRun.ReadAll(folder.Path)).Message, StringComparison.Ordinal);
        File.WriteAllText(folder.File("eval-broken.json"), "{");
        Assert.Contains("eval-broken.json", Assert.Throws<CliException>(() => EvaluationRun.ReadAll(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static string[] Outputs(ReportFiles files) => [files.Page, files.Plot, files.CapacityPlot];

    private static ReportFiles Write(TemporaryFolder folder, string name)
    {
        string output = folder.File(name);
        ReportFiles files = new(folder.Path, Path.Combine(output, "q.md"), Path.Combine(output, "q.svg"), Path.Combine(output, "c.svg"), Path.Combine(output, "d.svg"));
        ReportCommand.Write(files);
        return files;
    }

    private static void Store(TemporaryFolder folder, string name, EvaluationResult result) =>
        File.WriteAllText(folder.File(name + ".json"), JsonSerializer.Serialize(result, ResultJson.Default.EvaluationResult));

    private static RungSummary Rung(string name, double bytes, double meanKl) => new(name, [Entry(name, bytes, meanKl)]);

    // The first rung is lossless, of 4,098 bytes; the n-th behind it has 4,000 / (n + 1) bytes and seed * n / 1,000 nats.
    private static EvaluationResult Result(int seed, params string[] rungs) => new()
    {
        Command = "concertina eval",
        Model = "demo",
        Seed = seed,
        ComparedTokens = 10,
        Questions = 20,
        Rungs = [.. rungs.Select((rung, index) => Entry(rung, index == 0 ? 4098 : 4000.0 / (index + 1), seed * index / 1000.0))],
    };

    private static RungEvaluation Entry(string name, double bytes, double meanKl) => new()
    {
        Rung = name,
        Ratio = 4000 / bytes,
        BytesPerToken = bytes,
        MeanKl = meanKl,
        P99Kl = 10 * meanKl,
        Perplexity = 5,
        Recall = 0.9,
        RecallDelta = -0.01,
        RecallCi95 = [-0.02, 0],
        AttendNs = 10,
        EncodeNs = 100,
    };
}
