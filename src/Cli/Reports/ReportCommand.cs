using System.CommandLine;
using Concertina.Cli.Benches;
using Concertina.Cli.Benches.Cache;
using Concertina.Cli.Benches.Load;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Reports.Plots;
using Concertina.Cli.Reports.Sections;

namespace Concertina.Cli.Reports;

/// <summary><c>concertina report</c>: a page and plots of what <c>concertina eval</c> found.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        Option<string> results = new("--results") { Description = "Folder with eval-<something>.json.", DefaultValueFactory = _ => "bench/results" };
        Option<string> page = new("--out") { Description = "Page to write.", DefaultValueFactory = _ => "docs/quality.md" };
        Option<string> plot = new("--plot") { Description = "Plot of bytes against divergence.", DefaultValueFactory = _ => "docs/quality.svg" };
        Option<string> capacity = new("--capacity-plot") { Description = "Plot of sessions per GiB.", DefaultValueFactory = _ => "docs/capacity.svg" };
        Option<string> demand = new("--demand-plot") { Description = "Plot of goodput under memory pressure.", DefaultValueFactory = _ => "docs/demand.svg" };
        Command command = new("report", "Writes a page and plots from results of eval.") { results, page, plot, capacity, demand };
        command.SetAction(arguments =>
        {
            Write(new ReportFiles(
                arguments.GetRequiredValue(results), arguments.GetRequiredValue(page),
                arguments.GetRequiredValue(plot), arguments.GetRequiredValue(capacity), arguments.GetRequiredValue(demand)));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Writes the page and its plots.</summary>
    /// <exception cref="CliException">A result cannot be read, or a file cannot be written.</exception>
    public static void Write(ReportFiles files)
    {
        IReadOnlyList<RunGroup> groups = RunGroup.Of(EvaluationRun.ReadAll(files.Results));
        var rungs = PlottedRungs.Of(groups);
        string folder = Path.GetDirectoryName(Path.GetFullPath(files.Page))!;
        QualityReport report = new(Command(files), Shown(files.Results), Address(folder, files.Plot), Address(folder, files.CapacityPlot));
        string? demand = DemandPlot.Of([.. Loads(files.Results).Select(run => run.Result)]);
        WriteFile(files.Page, report.Text(groups, Sections(files.Results, Address(folder, files.DemandPlot))));
        WriteFile(files.Plot, QualityPlot.Of(rungs));
        WriteFile(files.CapacityPlot, CapacityPlot.Of(rungs));
        if (demand is not null)
        {
            WriteFile(files.DemandPlot, demand);
        }
    }

    private static IReadOnlyList<BenchRun<LoadResult>> Loads(string folder) =>
        BenchRun<LoadResult>.ReadAll(folder, "load-*.json", ResultJson.Default.LoadResult);

    private static IEnumerable<string> Sections(string folder, string demandPlot) =>
    [
        .. SpeedSection.Lines(
            BenchRun<RungSpeedFile>.ReadAll(folder, "rungs-*.json", ResultJson.Default.RungSpeedFile),
            BenchRun<TranscodeFile>.ReadAll(folder, "transcode-*.json", ResultJson.Default.TranscodeFile)),
        .. DemandSection.Lines(Loads(folder), demandPlot),
        .. DistortionSection.Lines(BenchRun<DistortionFile>.ReadAll(folder, "distortion-*.json", ResultJson.Default.DistortionFile)),
        .. CapacitySection.Lines(BenchRun<CapacityFile>.ReadAll(folder, "capacity-*.json", ResultJson.Default.CapacityFile)),
    ];

    private static string Command(ReportFiles files) => CommandLineText.Of(
    [
        "", "report", "--results", files.Results, "--out", files.Page, "--plot", files.Plot, "--capacity-plot", files.CapacityPlot, "--demand-plot", files.DemandPlot,
    ]);

    private static string Shown(string folder) => Path.IsPathRooted(folder) ? Path.GetFileName(folder.TrimEnd('/', '\\')) : folder;

    private static string Address(string folder, string file) => Path.GetRelativePath(folder, Path.GetFullPath(file)).Replace('\\', '/');

    private static void WriteFile(string file, string text)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            File.WriteAllText(file, text);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failure, $"The report cannot be written to {file}: {problem.Message}");
        }
        Screen.Line($"written to {file}");
    }
}
