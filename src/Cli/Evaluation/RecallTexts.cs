using System.Text.Json;
using Concertina.Compute.Evaluation;
using Concertina.Tokenization;

namespace Concertina.Cli.Evaluation;

/// <summary>The recall questions as tokens, with the value each answer must contain.</summary>
/// <param name="Document">Tokens.</param>
/// <param name="Values">What the answers must contain, one per question.</param>
internal sealed record RecallTexts(RecallDocument Document, IReadOnlyList<string> Values)
{
    private static readonly int[] Lengths = [1024, 2048, 4096, 8000];

    /// <summary>Reads the documents of a folder, of every length whose file is there.</summary>
    /// <param name="folder">Folder with recall_LENGTH.jsonl.</param>
    /// <param name="most">Most documents of a length.</param>
    /// <param name="model">Model whose tokens they become.</param>
    /// <param name="share">Which documents are taken.</param>
    /// <exception cref="CliException">There is none, or one is not as it should be.</exception>
    public static IReadOnlyList<RecallTexts> Read(string folder, int most, EvaluatedModel model, SeedShare share)
    {
        List<RecallTexts> texts = [];
        foreach (int length in Lengths)
        {
            string file = Path.Combine(folder, $"recall_{length}.jsonl");
            if (File.Exists(file) && length < model.File.Config.ContextLength)
            {
                texts.AddRange(share.Of(File.ReadAllLines(file), most).Select(line => Of(line, length, model)));
            }
        }
        return texts.Count > 0
            ? texts
            : throw new CliException(ExitCode.Usage, $"There is no recall_<length>.jsonl in {folder} that fits the model's context.");
    }

    private static RecallTexts Of(string line, int length, EvaluatedModel model)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        string prefix = document.RootElement.GetProperty("prefix").GetString()!;
        JsonElement[] questions = [.. document.RootElement.GetProperty("questions").EnumerateArray()];
        int[][] prompts = [.. questions.Select(question => model.Tokenizer.Encode(
            prefix + question.GetProperty("prompt").GetString()!, addSpecial: true, parseSpecial: true))];
        return new RecallTexts(RecallDocument.Of(length, prompts), [.. questions.Select(question => question.GetProperty("value").GetString()!)]);
    }
}
