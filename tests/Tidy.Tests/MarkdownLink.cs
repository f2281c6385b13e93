using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

/// <summary>A relative link or picture in a Markdown text.</summary>
/// <param name="Target">As written.</param>
/// <param name="Line">Line number, from 1.</param>
internal sealed partial record MarkdownLink(string Target, int Line)
{
    /// <summary>The relative links outside of code.</summary>
    public static IEnumerable<MarkdownLink> In(string markdown) =>
        from line in Prose(markdown)
        from Match match in Link().Matches(InlineCode().Replace(line.Text, ""))
        let target = match.Groups["target"].Value.Trim('<', '>')
        where target.Length > 0 && !Scheme().IsMatch(target)
        select new MarkdownLink(target, line.Number);

    /// <summary>The anchors that the headings of a text make.</summary>
    public static IEnumerable<string> Anchors(string markdown) =>
        from line in Prose(markdown)
        where line.Text.StartsWith('#')
        let words = line.Text.TrimStart('#').Trim().ToLowerInvariant()
        select NotInAnchor().Replace(words, "").Replace(' ', '-');

    /// <summary>The path, from the root, of a target written in <paramref name="file"/>.</summary>
    public static string Resolve(string file, string target)
    {
        List<string> parts = target.StartsWith('/') ? [] : [.. file.Split('/')[..^1]];
        foreach (string part in target.Split('/').Where(part => part.Length > 0 && part != "."))
        {
            if (part != "..")
            {
                parts.Add(Uri.UnescapeDataString(part));
            }
            else if (parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else
            {
                return $"outside of the repository: {target}";
            }
        }
        return string.Join('/', parts);
    }

    public static IEnumerable<string> FoldersAbove(string file)
    {
        for (int slash = file.LastIndexOf('/'); slash > 0; slash = file.LastIndexOf('/', slash - 1))
        {
            yield return file[..slash];
        }
    }

    /// <summary>The lines outside of fenced code, numbered from 1.</summary>
    public static IEnumerable<(int Number, string Text)> Prose(string markdown)
    {
        bool inCode = false;
        int number = 0;
        foreach (string line in markdown.Split('\n'))
        {
            number++;
            bool fence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            inCode ^= fence;
            if (!fence && !inCode)
            {
                yield return (number, line);
            }
        }
    }

    [GeneratedRegex("""\]\((?<target><[^>]+>|[^)\s]+)|(?:src|srcset|href)="(?<target>[^"]+)"|^\[[^\]]+\]:\s+(?<target>\S+)""")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^([a-z]+:|//)")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
