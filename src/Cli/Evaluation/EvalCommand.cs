using System.CommandLine;
using System.Globalization;
using Concertina.Cli.Benches;
using Concertina.Compute.Evaluation;
using Concertina.Silo.Options;

namespace Concertina.Cli.Evaluation;

/// <summary><c>concertina eval</c>: what each rung costs on a model in bytes, quality and speed.</summary>
internal static class EvalCommand
{
    private const int LongWindow = 8192;

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "GGUF file.", Required = true };
        Option<string?> profile = new("--profile") { Description = "KV profile; default: the one beside the model." };
        Option<string> rungs = new("--rungs") { Description = "Rungs, separated by commas, or all.", DefaultValueFactory = _ => "all" };
        Option<string[]> text = new("--text") { Description = "Texts whose predictions are compared.", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<bool> heldOut = new("--held-out") { Description = "Use the second half of the texts: what calibrate does not train on." };
        Option<int> tokens = new("--tokens") { Description = "Tokens of text compared on each rung.", DefaultValueFactory = _ => 4 * LongWindow };
        Option<string?> recall = new("--recall") { Description = "Folder with recall_<length>.jsonl." };
        Option<int> documents = new("--documents") { Description = "Documents of each length that questions are asked about.", DefaultValueFactory = _ => int.MaxValue };
        Option<string> eviction = new("--eviction")
        {
            Description = $"How rungs that evict choose: {string.Join(", ", EvictionModes.Names)}.",
            DefaultValueFactory = _ => EvictionModes.Method,
        };
        Option<bool> asked = new("--evict-after-questions") { Description = "Evict when a question was read, not before." };
        Option<bool> noWindow = new("--no-window") { Description = "Squeeze the first page and the recent window too, which sessions never do." };
        Option<int> seed = new("--seed")
        {
            Description = "Seed of the intervals; also which part of texts and documents is taken when not all of them are: seed 2 takes what follows seed 1's.",
            DefaultValueFactory = _ => 1,
        };
        Option<int> threads = new("--threads") { Description = "Threads; 0: one per core." };
        Option<string> budget = new("--kv-budget") { Description = "Memory for the KV cache.", DefaultValueFactory = _ => "2GiB" };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("eval", "Measures bytes, divergence, recall and speed of rungs.")
        {
            model, profile, rungs, text, heldOut, tokens, recall, documents, eviction, asked, noWindow, seed, threads, budget, json,
        };
        command.SetAction((arguments, cancellation) => Task.Run(() =>
        {
            using EvaluatedModel evaluated = EvaluatedModel.Open(arguments.GetRequiredValue(model), arguments.GetValue(profile));
            EvaluationSettings settings = new()
            {
                Rungs = [.. RungList.Named(arguments.GetRequiredValue(rungs), evaluated.Profile).Where(name => name != "f16")],
                Threads = arguments.GetValue(threads),
                Eviction = arguments.GetRequiredValue(eviction),
                EvictsAfterQuestions = arguments.GetValue(asked),
                SqueezesWindow = arguments.GetValue(noWindow),
                BudgetBytes = ByteSize.TryParse(arguments.GetRequiredValue(budget), out long bytes)
                    ? bytes
                    : throw new CliException(ExitCode.Usage, $"--kv-budget is '{arguments.GetValue(budget)}'; a size such as 2GiB is needed."),
            };
            var share = new SeedShare(arguments.GetRequiredValue(seed));
            IReadOnlyList<int[]> windows = Windows(
                evaluated, Text(evaluated, arguments.GetRequiredValue(text), arguments.GetValue(heldOut)), arguments.GetRequiredValue(tokens), share);
            IReadOnlyList<RecallTexts> questions = arguments.GetValue(recall) is { } folder
                ? RecallTexts.Read(folder, arguments.GetRequiredValue(documents), evaluated, share)
                : [];
            EvaluationResult result = Run(evaluated, settings, windows, questions, share.Seed, cancellation) with
            {
                Command = CommandLineText.Of(Environment.GetCommandLineArgs()),
            };
            EvaluationTable.Print(result.Model, result.Rungs, result.ComparedTokens, result.Questions);
            ResultFile.Write(arguments.GetValue(json), result, ResultJson.Default.EvaluationResult);
            return ExitCode.Success;
        }, cancellation));
        return command;
    }

    private static EvaluationResult Run(
        EvaluatedModel model, EvaluationSettings settings, IReadOnlyList<int[]> windows, IReadOnlyList<RecallTexts> questions, int seed,
        CancellationToken cancellation)
    {
        try
        {
            (IReadOnlyList<RungEvaluation> found, int compared, int asked) =
                new Evaluator(model, settings, TimeProvider.System).Run(windows, questions, seed, cancellation);
            return new EvaluationResult
            {
                Command = "",
                Model = model.File.Config.Name,
                Seed = seed,
                ComparedTokens = compared,
                Questions = asked,
                Rungs = found,
            };
        }
        catch (Exception problem) when (problem is ArgumentException or InvalidOperationException)
        {
            throw new CliException(ExitCode.Failure, problem.Message);
        }
    }

    private static int[] Text(EvaluatedModel model, string[] files, bool heldOut)
    {
        int[] tokens = model.Tokens(files);
        return heldOut ? tokens[(tokens.Length / 2)..] : tokens;
    }

    private static IReadOnlyList<int[]> Windows(EvaluatedModel model, int[] text, int tokens, SeedShare share)
    {
        int length = Math.Min(LongWindow, model.File.Config.ContextLength);
        IReadOnlyList<int[]> windows = share.Of(model.Windows(text, length, int.MaxValue), Math.Max(1, tokens / length));
        return windows.Count > 0
            ? windows
            : throw new CliException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture,
                $"The texts have {text.Length} tokens; one window of {length} is needed. Name more text."));
    }
}
