using System.Text.Json;

namespace Concertina.System.Tests;

/// <summary>The paired recall questions of <c>models/demo/eval_project</c>.</summary>
internal static class RecallSet
{
    private const string User = "<|user|>\n";
    private const string Assistant = "<|end|>\n<|assistant|>\n";

    /// <summary>Documents of one length with their questions.</summary>
    public static IEnumerable<RecallDocument> Read(int length)
    {
        string file = Path.Combine(ServerProcess.Root, "models", "demo", "eval_project", $"recall_{length}.jsonl");
        foreach (string line in File.ReadLines(file))
        {
            JsonElement document = JsonDocument.Parse(line).RootElement;
            string prefix = document.GetProperty("prefix").GetString()!;
            int answer = prefix.IndexOf(Assistant, StringComparison.Ordinal);
            yield return new RecallDocument(
                prefix[User.Length..answer],
                prefix[(answer + Assistant.Length)..^"<|end|>\n".Length],
                [.. document.GetProperty("questions").EnumerateArray().Select(Question)]);
        }
    }

    private static RecallQuestion Question(JsonElement question)
    {
        string prompt = question.GetProperty("prompt").GetString()!;
        return new RecallQuestion(prompt[User.Length..^Assistant.Length], question.GetProperty("value").GetString()!);
    }
}
