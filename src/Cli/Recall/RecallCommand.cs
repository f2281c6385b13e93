using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Concertina.Cli.Benches;

namespace Concertina.Cli.Recall;

/// <summary><c>concertina recall</c>: asks a running server the recall questions and counts right answers per length.</summary>
internal static class RecallCommand
{
    private const int MaxTokens = 40;

    public static Command Create()
    {
        Option<Uri> url = ServerUrl.Option();
        Option<string?> key = new("--key") { Description = "API key." };
        Option<string> set = new("--set") { Description = "Folder with recall_<length>.jsonl.", DefaultValueFactory = _ => "models/demo/eval_project" };
        Option<string> lengths = new("--lengths") { Description = "Lengths, separated by commas.", DefaultValueFactory = _ => "1024,2048,4096,8000" };
        Option<int?> limit = new("--limit") { Description = "Questions per length, from the start; 20 share a document. Default: all." };
        Option<string?> json = new("--json") { Description = "File for the result." };
        Command command = new("recall", "Asks the recall questions through the API and prints the share of right answers.") { url, key, set, lengths, limit, json };
        command.SetAction(async (arguments, cancellation) =>
        {
            using ChatClient client = new(arguments.GetRequiredValue(url), arguments.GetValue(key), TimeProvider.System);
            string model = await client.FirstModel(cancellation);
            List<RecallResult.LengthResult> results = [];
            foreach (int length in Lengths(arguments.GetRequiredValue(lengths)))
            {
                IEnumerable<RecallQuestion> questions = RecallSet.Read(arguments.GetRequiredValue(set), length);
                results.Add(await Ask(client, model, length, questions.Take(arguments.GetValue(limit) ?? int.MaxValue), cancellation));
                Print(results[^1]);
            }
            string command = $"concertina recall --lengths {arguments.GetRequiredValue(lengths)}"
                + (arguments.GetValue(limit) is { } count ? $" --limit {count}" : "");
            ResultFile.Write(arguments.GetValue(json), new RecallResult { Command = command, Model = model, Lengths = results }, ResultJson.Default.RecallResult);
            return ExitCode.Success;
        });
        return command;
    }

    private static async Task<RecallResult.LengthResult> Ask(
        ChatClient client, string model, int length, IEnumerable<RecallQuestion> questions, CancellationToken cancellation)
    {
        int asked = 0;
        int right = 0;
        long promptTokens = 0;
        long cachedTokens = 0;
        foreach (RecallQuestion question in questions)
        {
            JsonObject body = new()
            {
                ["model"] = model,
                ["messages"] = question.Messages,
                ["max_tokens"] = MaxTokens,
                ["temperature"] = 0,
            };
            (string text, int prompt, int cached) = await client.Ask(body, cancellation);
            asked++;
            right += text.Contains(question.Value, StringComparison.Ordinal) ? 1 : 0;
            promptTokens += prompt;
            cachedTokens += cached;
        }
        return new RecallResult.LengthResult(
            length, asked, right, Math.Round(100.0 * right / Math.Max(1, asked), 1), Math.Round(cachedTokens / (double)Math.Max(1, promptTokens), 3));
    }

    private static IEnumerable<int> Lengths(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            ? length
            : throw new CliException(ExitCode.Usage, $"--lengths has '{part}'; numbers separated by commas are needed, for example 1024,2048."));

    private static void Print(RecallResult.LengthResult result) => Screen.Line(string.Create(CultureInfo.InvariantCulture,
        $"{result.Length,6} tokens: {result.Right} of {result.Questions} right, {result.Percent:F1} % ({100 * result.CachedShare:F0} % of prompt tokens from the cache)"));
}
