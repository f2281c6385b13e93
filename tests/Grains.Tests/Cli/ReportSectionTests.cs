using System.Text.Json;
using System.Xml.Linq;
using Concertina.Cli;
using Concertina.Cli.Benches;
using Concertina.Cli.Benches.Cache;
using Concertina.Cli.Benches.Load;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Reports;
using Concertina.Cli.Reports.Plots;
using Concertina.Cli.Reports.Sections;
using Concertina.Compute.Bench;
using Concertina.Compute.Evaluation;

namespace Concertina.Grains.Tests.Cli;

/// <summary>What benchmarks found, in the quality report.</summary>
public sealed class ReportSectionTests
{
    [Fact]
    public void Speeds_stand_beside_the_first_rung_and_edges_with_their_throughput()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("rungs-demo.json"), JsonSerializer.Serialize(Speeds, ResultJson.Default.RungSpeedFile));
        File.WriteAllText(folder.File("transcode-demo.json"), JsonSerializer.Serialize(Transcodes, ResultJson.Default.TranscodeFile));

        string[] lines =
        [
            .. SpeedSection.Lines(
                BenchRun<RungSpeedFile>.ReadAll(folder.Path, "rungs-*.json", ResultJson.Default.RungSpeedFile),
                BenchRun<TranscodeFile>.ReadAll(folder.Path, "transcode-*.json", ResultJson.Default.TranscodeFile)),
        ];

        Assert.Contains("| rung | streams | tokens each | attend ns | to `f16` | step ms | to `f16` |", lines);
        Assert.Contains("| `int4` | 16 | 8,192 | 9.5 | 0.33x | 109.81 | 0.37x |", lines);
        Assert.Contains("| `int4` | `commvq2` | 2,638 | 9 |", lines);
    }

    [Fact]
    public void Counted_sessions_stand_beside_the_bytes_of_fixed_cache_types()
    {
        string[] lines = [.. CapacitySection.Lines([new BenchRun<CapacityFile>("capacity-demo", Capacity)])];

        // 2,048 numbers of 8,192 tokens: 32 MiB in 16 bit, 17 in q8_0, 9 in q4_0.
        Assert.Contains("| `int4` | 24 | 10,019,328 | 1,223.1 | 4,096 |", lines);
        Assert.Contains("| llama.cpp `f16`, computed | 8 | 33,554,432 | 4,096.0 | 0 |", lines);
        Assert.Contains("| llama.cpp `q8_0`, computed | 15 | 17,825,792 | 2,176.0 | 0 |", lines);
        Assert.Contains("| llama.cpp `q4_0`, computed | 28 | 9,437,184 | 1,152.0 | 0 |", lines);
    }

    [Fact]
    public void Loads_stand_by_demand_and_policy_and_their_recall_beside_the_run_with_the_most_memory()
    {
        LoadResult easy = Load(0.5, "elastic", [true, true, true, false]);
        LoadResult hard = Load(3, "recompute", [true, false, true, false]);

        string[] lines = [.. DemandSection.Lines([new BenchRun<LoadResult>("load-b", hard), new BenchRun<LoadResult>("load-a", easy)], "demand.svg")];

        string[] rows = [.. lines.Where(line => line.Contains("x | `", StringComparison.Ordinal))];
        Assert.Equal(2, rows.Length);
        Assert.Contains("![Good turns a second by demand, a curve a policy](demand.svg)", lines);
        Assert.StartsWith("| 0.5x | `elastic` | 4 of 4 |", rows[0], StringComparison.Ordinal);
        Assert.Contains("| 75.0 | 0.0 (0.0 to 0.0) |", rows[0], StringComparison.Ordinal);
        Assert.StartsWith("| 3x | `recompute` | 4 of 4 |", rows[1], StringComparison.Ordinal);
        Assert.Contains("| 50.0 | -25.0 (", rows[1], StringComparison.Ordinal);
        Assert.Empty(DemandSection.Lines([], "demand.svg"));
    }

    [Fact]
    public void Goodput_by_demand_is_a_curve_a_policy()
    {
        XDocument picture = XDocument.Parse(DemandPlot.Of(
            [Load(3, "elastic", [true]), Load(0.5, "elastic", [true]), Load(1, "recompute", [true]), Load(3, "recompute", [true])])!);

        XElement[] curves = [.. picture.Descendants().Where(element => element.Name.LocalName == "polyline")];
        Assert.Equal(["curve1", "curve3"], curves.Select(curve => curve.Attribute("class")!.Value).Order(StringComparer.Ordinal));
        Assert.All(curves, curve => Assert.Equal(2, curve.Attribute("points")!.Value.Split(' ').Length));
        Assert.Contains("recompute at 3x: 1.000 good turns a second", picture.ToString(), StringComparison.Ordinal);
        Assert.Null(DemandPlot.Of([]));
    }

    [Fact]
    public void Rules_of_mixtures_stand_with_what_they_were_judged_by()
    {
        DistortionFile result = new()
        {
            Command = "concertina bench distortion",
            Model = "demo",
            Tokens = 4096,
            ComparedTokens = 1024,
            Texts = 4,
            FittedPower = 1.2,
            FittedDecay = 0.5,
            FittedScale = 1.1,
            Fitted = new DistortionFit(32, 0.9765, 17, 1.824),
            Used = new DistortionFit(32, 0.97, 17, 2.4),
            Plans = [],
        };

        string[] lines = [.. DistortionSection.Lines([new BenchRun<DistortionFile>("distortion-demo", result)])];

        Assert.Contains("| fitted | 32 | 0.977 | 17 | 1.82x |", lines);
        Assert.Empty(DistortionSection.Lines([]));
    }

    [Fact]
    public void There_is_no_section_without_results_and_a_file_that_is_none_is_named()
    {
        using TemporaryFolder folder = new();
        Assert.Empty(SpeedSection.Lines([], []));
        Assert.Empty(CapacitySection.Lines([]));
        File.WriteAllText(folder.File("capacity-x.json"), "{}");

        CliException problem = Assert.Throws<CliException>(
            () => BenchRun<CapacityFile>.ReadAll(folder.Path, "capacity-*.json", ResultJson.Default.CapacityFile));

        Assert.Contains("capacity-x.json", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recall_by_length_has_a_column_a_length()
    {
        RungEvaluation lossless = Rung("f16", new RecallAtLength(1024, 40, 0.95, 0), new RecallAtLength(8000, 20, 0.9, 0));
        RungEvaluation int4 = Rung("int4", new RecallAtLength(1024, 40, 0.9, -0.05), new RecallAtLength(8000, 20, 0.95, 0.05));
        EvaluationResult result = new() { Command = "c", Model = "m", Seed = 1, ComparedTokens = 1, Questions = 60, Rungs = [lossless, int4] };

        string[] lines = [.. LengthTable.Of(result)];

        Assert.Contains("| rung | 1,024 (40 asked) | 8,000 (20 asked) |", lines);
        Assert.Contains("| `int4` | 90.0 (-5.0) | 95.0 (+5.0) |", lines);
        Assert.Empty(LengthTable.Of(result with { Rungs = [lossless with { RecallByLength = null }] }));
    }

    private static RungSpeedFile Speeds => new()
    {
        Command = "concertina bench rungs",
        Model = "demo",
        Note = "random",
        Rounds = 11,
        Rungs =
        [
            new RungSpeed { Rung = "f16", Batch = 16, Depth = 8192, AttendNs = 28.5, AttendToFirst = 1, StepMs = 288, StepToFirst = 1 },
            new RungSpeed { Rung = "int4", Batch = 16, Depth = 8192, AttendNs = 9.47, AttendToFirst = 0.331, StepMs = 109.81, StepToFirst = 0.367 },
        ],
    };

    private static TranscodeFile Transcodes => new()
    {
        Command = "concertina bench transcode",
        Model = "demo",
        Tokens = 2048,
        Edges = [new TranscodeSpeed("int4", "commvq2", 2638, 9_368_786)],
    };

    private static CapacityFile Capacity => new()
    {
        Command = "concertina bench capacity",
        Model = "demo",
        Tokens = 8192,
        NumbersPerToken = 2048,
        Rungs =
        [
            new CapacityResult
            {
                Rung = "int4", Sessions = 24, FormulaSessions = 24, BytesPerSession = 10_019_328, FormulaBytes = 10_043_328,
                SettledBytes = 10_043_328, UsedBytes = 252_208_000, FragmentedBytes = 4096, BudgetBytes = 256 << 20,
            },
        ],
    };

    private static LoadResult Load(double demand, string policy, bool[] right)
    {
        Scenario scenario = new()
        {
            Name = "s",
            Demand = demand,
            Sessions = 4,
            ContextTokens = 1024,
            Turns = 1,
            Arrivals = new ArrivalRule { Kind = "burst" },
            Limits = new ServiceLimits { TtftMs = 10, ItlMs = 10 },
        };
        TurnResult[] turns =
        [
            .. right.Select((answer, session) => new TurnResult
            {
                Session = session, Turn = 0, Document = session, SentSeconds = 0, EndSeconds = 1, TtftMs = 1, ItlMs = 1, Finish = "stop", Right = answer,
            }),
        ];
        return LoadSummary.Of(scenario, turns, [], null) with { Policy = policy, Command = "concertina bench serve" };
    }

    private static RungEvaluation Rung(string name, params RecallAtLength[] lengths) => new()
    {
        Rung = name,
        Ratio = 1,
        BytesPerToken = 1,
        MeanKl = 0,
        P99Kl = 0,
        Perplexity = 1,
        AttendNs = 1,
        EncodeNs = 1,
        RecallByLength = lengths,
    };
}
