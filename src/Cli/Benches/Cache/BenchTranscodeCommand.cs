using System.CommandLine;
using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Evaluation;

namespace Concertina.Cli.Benches.Cache;

/// <summary><c>concertina bench transcode</c>: how fast each rung becomes each deeper one.</summary>
internal static class BenchTranscodeCommand
{
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string> rungs = new("--rungs") { Description = "Rungs, shallow to deep, separated by commas, or all.", DefaultValueFactory = _ => "all" };
        Option<string[]> text = new("--text") { Description = "Text.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<int> tokens = new("--tokens") { Description = "Tokens of the sequence.", DefaultValueFactory = _ => 2048 };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("transcode", "Measures transcoding between rungs on one thread.") { model, profile, rungs, text, tokens, json };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            using EvaluatedModel opened = EvaluatedModel.Open(arguments.GetRequiredValue(model), arguments.GetValue(profile));
            int[] sequence = [.. opened.Tokens(arguments.GetRequiredValue(text)).Take(arguments.GetRequiredValue(tokens))];
            TranscodeFile result = Run(opened, RungList.Named(arguments.GetRequiredValue(rungs), opened.Profile), sequence);
            foreach (TranscodeSpeed speed in result.Edges)
            {
                Screen.Line(string.Create(CultureInfo.InvariantCulture,
                    $"{speed.From,-14} to {speed.To,-14} {speed.TokensPerSecond,12:F0} tokens/s  {speed.FreedBytesPerSecond / 1e6,8:F1} MB/s freed"));
            }
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.TranscodeFile);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static TranscodeFile Run(EvaluatedModel model, IReadOnlyList<string> rungs, int[] sequence)
    {
        try
        {
            using EvaluationRig rig = new(model.File, model.Profile, new EvaluationSettings { Rungs = rungs });
            return new TranscodeFile
            {
                Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
                Model = model.File.Config.Name,
                Tokens = sequence.Length,
                Edges = [.. TranscodeSpeed.Measure(rig, sequence, TimeProvider.System).Select(Rounded)],
            };
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static TranscodeSpeed Rounded(TranscodeSpeed speed) => speed with
    {
        TokensPerSecond = Math.Round(speed.TokensPerSecond),
        FreedBytesPerSecond = Math.Round(speed.FreedBytesPerSecond),
    };
}
