using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Bench;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Silo.Options;

namespace Concertina.Cli.Benches.Cache;

/// <summary><c>concertina bench capacity</c>: sessions that fit a budget on each rung, counted by filling it.</summary>
internal static class BenchCapacityCommand
{
    private const string EvictingNote =
        "Rungs that evict rank random keys by random queries: heads keep about as many slots each, where a model's differ; the pages of all heads together are the same.";

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string> budget = new("--kv-budget") { Description = "Memory for the KV cache.", DefaultValueFactory = _ => "256MiB" };
        Option<int> tokens = new("--tokens") { Description = "Tokens of each session.", DefaultValueFactory = _ => 8192 };
        Option<string> rungs = new("--rungs") { Description = "Rungs, separated by commas, or all.", DefaultValueFactory = _ => "all" };
        Option<bool> growAll = new("--grow-all") { Description = "Write and squeeze every session instead of copying the first: slow." };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("capacity", "Counts the sessions that fit a KV budget on each rung, by filling it.")
        {
            model, profile, budget, tokens, rungs, growAll, json,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            using EvaluatedModel opened = EvaluatedModel.Open(arguments.GetRequiredValue(model), arguments.GetValue(profile));
            string[] named = RungList.Named(arguments.GetRequiredValue(rungs), opened.Profile);
            CapacitySettings settings = Checked(new CapacitySettings
            {
                BudgetBytes = ByteSize.TryParse(arguments.GetRequiredValue(budget), out long bytes)
                    ? bytes
                    : throw new CliException(ExitCode.Usage, $"--kv-budget is '{arguments.GetValue(budget)}'; a size such as 256MiB is needed."),
                Tokens = arguments.GetRequiredValue(tokens),
                Rungs = named,
                GrowAll = arguments.GetValue(growAll),
            });
            CapacityFile result = Run(opened, settings, cancellation) with { Note = named.Any(Evicts) ? EvictingNote : null };
            Print(result);
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.CapacityFile);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static bool Evicts(string name) => name.Contains(RungCatalog.EvictSuffix, StringComparison.Ordinal);

    private static CapacityFile Run(EvaluatedModel model, CapacitySettings settings, CancellationToken cancellation)
    {
        try
        {
            return new CapacityFile
            {
                Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
                Model = model.File.Config.Name,
                Tokens = settings.Tokens,
                NumbersPerToken = 2 * model.File.Config.LayerCount * model.File.Config.KvHeadCount * model.File.Config.HeadDim,
                Rungs = CapacityBenchmark.Run(model.File, model.Profile, settings, cancellation),
            };
        }
        catch (ArgumentException problem)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
        catch (InvalidOperationException problem)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static CapacitySettings Checked(CapacitySettings settings)
    {
        List<ValidationResult> problems = [];
        return Validator.TryValidateObject(settings, new ValidationContext(settings), problems, validateAllProperties: true)
            ? settings
            : throw new CliException(ExitCode.Usage, string.Join('\n', problems));
    }

    private static void Print(CapacityFile result)
    {
        Screen.Line(string.Create(CultureInfo.InvariantCulture,
            $"{result.Model}: sessions of {result.Tokens:N0} tokens in {ByteSize.Format(result.Rungs[0].BudgetBytes)}"));
        Screen.Line("rung            sessions  promised  bytes/session       formula    used bytes");
        foreach (CapacityResult rung in result.Rungs)
        {
            Screen.Line(string.Create(CultureInfo.InvariantCulture,
                $"{rung.Rung,-14} {rung.Sessions,9:N0} {rung.FormulaSessions,9:N0} {rung.BytesPerSession,14:N0} {rung.FormulaBytes,13:N0} {rung.UsedBytes,13:N0}"));
        }
        if (result.Note is { } note)
        {
            Screen.Line(note);
        }
    }
}
