using System.CommandLine;
using Concertina.Cli;
using Concertina.Cli.Benches;
using Concertina.Cli.Benches.Cache;
using Concertina.Cli.Calibrating;
using Concertina.Cli.Evaluation;
using Concertina.Cli.Inspecting;
using Concertina.Cli.Recall;
using Concertina.Cli.Reports;
using Concertina.Cli.Serving;

RootCommand root = new("Serves language models from a cluster of .NET actors.")
{
    ServeCommand.Create(),
    new Command("bench", "Measures and writes JSON.")
    {
        BenchModelCommand.Decode(), BenchModelCommand.Prefill(), BenchServeCommand.Create(), BenchCapacityCommand.Create(),
        BenchTranscodeCommand.Create(), BenchRungsCommand.Create(), BenchDistortionCommand.Create(), BenchElasticCommand.Undo(), BenchElasticCommand.Budget(),
    },
    CalibrateCommand.Create(),
    InspectCommand.Create(),
    EvalCommand.Create(),
    RecallCommand.Create(),
    ReportCommand.Create(),
    new Command("key", "API keys.") { KeyCommand.Create() },
};

// Signals are the host's while it serves: it drains; the other commands stop at once.
InvocationConfiguration configuration = new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
ParseResult arguments = root.Parse(args);
try
{
    int result = await arguments.InvokeAsync(configuration);
    return arguments.Errors.Count > 0 ? ExitCode.Usage : result;
}
catch (CliException problem)
{
    Screen.Error(problem.Message);
    return problem.ExitCode;
}
