using System.CommandLine;
using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Bench;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Benches.Cache;

/// <summary><c>concertina bench rungs</c>: attention and decode steps of several rungs in one run.</summary>
internal static class BenchRungsCommand
{
    public static Command Create()
    {
        Option<string?> model = new("--model") { Description = "GGUF file." };
        Option<string?> shape = new("--shape") { Description = $"Random weights in Q8_0 of a shape: {string.Join(", ", ModelShapes.Names)}." };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string[]> rungs = new("--rungs") { Description = "Rungs; the first is the measure.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["f16", "int4"] };
        Option<int[]> depths = new("--depths") { Description = "Tokens each sequence holds.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [8192] };
        Option<int[]> batches = new("--batches") { Description = "Sequences decoded together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1] };
        Option<int> rounds = new("--rounds") { Description = "Rounds in which all rungs take turns.", DefaultValueFactory = _ => 15 };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("rungs", "Compares the attention and the decode steps of rungs in one run.")
        {
            model, shape, profile, rungs, depths, batches, rounds, json,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            using ModelSource source = BenchedModel.Open(arguments.GetValue(model), arguments.GetValue(shape));
            KvProfile? found = BenchedModel.Profile(source, arguments.GetValue(model), arguments.GetValue(profile));
            List<RungSpeed> speeds = [];
            foreach (int batch in arguments.GetRequiredValue(batches))
            {
                foreach (int depth in arguments.GetRequiredValue(depths))
                {
                    cancellation.ThrowIfCancellationRequested();
                    BenchmarkSettings settings = BenchedModel.Checked(new BenchmarkSettings
                    {
                        Depth = depth,
                        Batch = batch,
                        Tokens = arguments.GetRequiredValue(rounds),
                    });
                    IReadOnlyList<RungSpeed> measured = Run(source, found, settings, arguments.GetRequiredValue(rungs));
                    foreach (RungSpeed speed in measured)
                    {
                        Print(speed);
                        speeds.Add(Rounded(speed));
                    }
                }
            }
            RungSpeedFile result = new()
            {
                Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
                Model = source.Config.Name,
                Note = "keys and values of the depth are random numbers" + (arguments.GetValue(model) is null ? "; random weights (Q8_0)" : ""),
                Rounds = arguments.GetRequiredValue(rounds),
                Rungs = speeds,
            };
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.RungSpeedFile);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static IReadOnlyList<RungSpeed> Run(ModelSource source, KvProfile? profile, BenchmarkSettings settings, string[] rungs)
    {
        try
        {
            return RungBenchmark.Run(source, profile, settings, rungs, TimeProvider.System);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    private static void Print(RungSpeed speed) => Screen.Line(string.Create(CultureInfo.InvariantCulture,
        $"{speed.Rung,-14} {speed.Batch,4} x {speed.Depth,6}  attend {speed.AttendNs,7:F2} ns {speed.AttendToFirst,6:F2}x  step {speed.StepMs,8:F2} ms {speed.StepToFirst,6:F2}x"));

    private static RungSpeed Rounded(RungSpeed speed) => speed with
    {
        AttendNs = Math.Round(speed.AttendNs, 2),
        AttendToFirst = Math.Round(speed.AttendToFirst, 3),
        StepMs = Math.Round(speed.StepMs, 2),
        StepToFirst = Math.Round(speed.StepToFirst, 3),
    };
}
