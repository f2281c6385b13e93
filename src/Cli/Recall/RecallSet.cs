using System.Text.Json;
using System.Text.Json.Nodes;

namespace Concertina.Cli.Recall;

/// <summary>The recall questions of one length. The file holds rendered chat text; here it becomes messages again.</summary>
internal static class RecallSet
{
    private static readonly string[] Roles = ["system", "user", "assistant"];

    /// <summary>Each question as a conversation with the value its answer must contain.</summary>
    /// <exception cref="CliException">The file is missing or not as it should be.</exception>
    public static IEnumerable<RecallQuestion> Read(string folder, int length) => Documents(folder, length).SelectMany(document => document);

    /// <summary>The same by document.</summary>
    /// <exception cref="CliException">The file is missing or not as it should be.</exception>
    public static IReadOnlyList<IReadOnlyList<RecallQuestion>> Documents(string folder, int length)
    {
        string file = Path.Combine(folder, $"recall_{length}.jsonl");
        if (!File.Exists(file))
        {
            throw new CliException(ExitCode.Usage, $"There is no {file}; --set names the folder with recall_<length>.jsonl.");
        }
        List<IReadOnlyList<RecallQuestion>> documents = [];
        foreach (string line in File.ReadLines(file))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            string prefix = document.RootElement.GetProperty("prefix").GetString()!;
            documents.Add(
            [
                .. document.RootElement.GetProperty("questions").EnumerateArray().Select(question => new RecallQuestion(
                    Messages(prefix + question.GetProperty("prompt").GetString()), question.GetProperty("value").GetString()!)),
            ]);
        }
        return documents;
    }

    /// <summary>Turns of <c>&lt;|role|&gt;\ntext&lt;|end|&gt;\n</c>; the open assistant turn at the end is the one to be generated.</summary>
    internal static JsonArray Messages(string rendered)
    {
        JsonArray messages = [];
        int at = 0;
        while (at < rendered.Length)
        {
            string role = Roles.FirstOrDefault(name => string.CompareOrdinal(rendered, at, $"<|{name}|>\n", 0, name.Length + 5) == 0)
                ?? throw new CliException(ExitCode.Usage, $"The recall set has no turn at character {at}.");
            int start = at + role.Length + 5;
            int end = rendered.IndexOf("<|end|>\n", start, StringComparison.Ordinal);
            if (end < 0)
            {
                break;
            }
            messages.Add(new JsonObject { ["role"] = role, ["content"] = rendered[start..end] });
            at = end + "<|end|>\n".Length;
        }
        return messages;
    }
}
