namespace Concertina.Tidy.Tests;

public sealed class MarkdownLinkTests
{
    [Fact]
    public void Every_relative_link_leads_somewhere()
    {
        HashSet<string> files = [.. Repository.Files];
        HashSet<string> folders = [.. Repository.Files.SelectMany(MarkdownLink.FoldersAbove)];
        IEnumerable<string> findings =
            from file in Repository.Files
            where file.EndsWith(".md", StringComparison.Ordinal)
            from link in MarkdownLink.In(Repository.Read(file))
            let broken = Broken(file, link, files, folders)
            where broken is not null
            select $"{file}({link.Line}): {broken}";

        Findings.None(findings, "Correct the link or the file's name; links to places outside the repository are full addresses.");
    }

    [Theory]
    [InlineData("see [a](b.md) and ![p](<c d.svg>)", new[] { "b.md", "c d.svg" })]
    [InlineData("`[a](b.md)` is code", new string[0])]
    [InlineData("```\n[a](b.md)\n```\n[c](d.md#e)", new[] { "d.md#e" })]
    [InlineData("<img src=\"docs/x.svg\"> and <source srcset=\"y.svg\">", new[] { "docs/x.svg", "y.svg" })]
    [InlineData("[x]: other.md", new[] { "other.md" })]
    public void Links_are_found_where_a_reader_sees_them(string markdown, string[] targets) =>
        Assert.Equal(targets, MarkdownLink.In(markdown).Select(link => link.Target));

    [Theory]
    [InlineData("## The life of a request", "the-life-of-a-request")]
    [InlineData("# `serve`: options & flags", "serve-options--flags")]
    public void Anchors_are_made_as_the_reader_makes_them(string heading, string anchor) =>
        Assert.Equal([anchor], MarkdownLink.Anchors(heading));

    private static string? Broken(string file, MarkdownLink link, HashSet<string> files, HashSet<string> folders)
    {
        string[] parts = link.Target.Split('#', 2);
        string target = parts[0].Length == 0 ? file : MarkdownLink.Resolve(file, parts[0]);
        if (!files.Contains(target) && !folders.Contains(target))
        {
            return $"{link.Target}: no {target}";
        }
        bool anchored = parts.Length == 2 && target.EndsWith(".md", StringComparison.Ordinal);
        return anchored && !MarkdownLink.Anchors(Repository.Read(target)).Contains(parts[1]) ? $"{link.Target}: no such heading" : null;
    }
}
