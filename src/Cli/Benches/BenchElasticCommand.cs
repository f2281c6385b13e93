using System.CommandLine;
using System.ComponentModel.DataAnnotations;
using Concertina.Cli.Evaluation;
using Concertina.Compute.Bench;
using Concertina.Silo.Options;

namespace Concertina.Cli.Benches;

/// <summary><c>concertina bench undo</c> and <c>bench budget</c>: memory that comes back to sessions, and memory that goes back to the machine.</summary>
internal static class BenchElasticCommand
{
    public static Command Undo() => Create(
        "undo", "Measures how fast squeezed sessions get the lossless rung back on an idle engine.", "512MiB", 1, async (model, settings, tokens) =>
        {
            UndoResult result = await UndoBenchmark.Run(model.File, model.Profile, settings, tokens, TimeProvider.System);
            return Of(model, settings) with
            {
                PrefillTokensPerSecond = Math.Round(result.PrefillTokensPerSecond),
                UndoTokensPerSecond = Math.Round(result.UndoTokensPerSecond),
                UndoToPrefill = Math.Round(result.UndoTokensPerSecond / result.PrefillTokensPerSecond, 3),
            };
        });

    public static Command Budget() => Create(
        "budget", "Halves the KV budget while sessions stream and measures how fast the memory goes back.", "256MiB", 16, async (model, settings, tokens) =>
            Of(model, settings) with { Halved = Rounded(await BudgetBenchmark.Run(model.File, model.Profile, settings, tokens, TimeProvider.System)) });

    private static Command Create(
        string name, string description, string budgetBytes, int sessionCount,
        Func<EvaluatedModel, ElasticSettings, ReadOnlyMemory<int>, Task<ElasticFile>> run)
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string[]> text = new("--text") { Description = "Text.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<string> budget = new("--kv-budget") { Description = "Memory for the KV cache.", DefaultValueFactory = _ => budgetBytes };
        Option<int> sessions = new("--sessions") { Description = "Sessions.", DefaultValueFactory = _ => sessionCount };
        Option<int> tokens = new("--tokens") { Description = "Tokens of each session.", DefaultValueFactory = _ => 2048 };
        Option<string> rung = new("--rung") { Description = "Rung they are squeezed to.", DefaultValueFactory = _ => "int4" };
        Option<int> threads = new("--threads") { Description = "Threads; 0: one per core." };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new(name, description) { model, profile, text, budget, sessions, tokens, rung, threads, json };
        command.SetAction(async (arguments, _) =>
        {
            using EvaluatedModel opened = EvaluatedModel.Open(arguments.GetRequiredValue(model), arguments.GetValue(profile));
            ElasticSettings settings = Checked(new ElasticSettings
            {
                BudgetBytes = ByteSize.TryParse(arguments.GetRequiredValue(budget), out long bytes)
                    ? bytes
                    : throw new CliException(ExitCode.Usage, $"--kv-budget is '{arguments.GetValue(budget)}'; a size such as 256MiB is needed."),
                Tokens = arguments.GetRequiredValue(tokens),
                Sessions = arguments.GetRequiredValue(sessions),
                Rung = arguments.GetRequiredValue(rung),
                Threads = arguments.GetValue(threads),
            });
            ElasticFile result = await Run(run, opened, settings, opened.Tokens(arguments.GetRequiredValue(text)));
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.ElasticFile);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<ElasticFile> Run(
        Func<EvaluatedModel, ElasticSettings, ReadOnlyMemory<int>, Task<ElasticFile>> run, EvaluatedModel model, ElasticSettings settings, int[] tokens)
    {
        try
        {
            return await run(model, settings, tokens);
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static ElasticSettings Checked(ElasticSettings settings)
    {
        List<ValidationResult> problems = [];
        return Validator.TryValidateObject(settings, new ValidationContext(settings), problems, validateAllProperties: true)
            ? settings
            : throw new CliException(ExitCode.Usage, string.Join('\n', problems));
    }

    private static ElasticFile Of(EvaluatedModel model, ElasticSettings settings) => new()
    {
        Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
        Model = model.File.Config.Name,
        Sessions = settings.Sessions,
        Tokens = settings.Tokens,
        Rung = settings.Rung,
    };

    private static BudgetResult Rounded(BudgetResult result) => result with
    {
        Seconds = Math.Round(result.Seconds, 3),
        SecondsPerGb = Math.Round(result.SecondsPerGb, 2),
        QuietStepMs = Math.Round(result.QuietStepMs, 2),
        StepMs = Math.Round(result.StepMs, 2),
        LongestStepMs = Math.Round(result.LongestStepMs, 2),
    };
}
