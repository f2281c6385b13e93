using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

public sealed partial class DecisionTests
{
    private const string Folder = "docs/decisions/";
    private const int MostLines = 60;

    [Fact]
    public void Every_decision_is_numbered_once_and_stands_in_the_index()
    {
        string index = Repository.Read(Folder + "README.md");
        IEnumerable<string> unlisted =
            from file in Decisions()
            where !index.Contains($"]({file})", StringComparison.Ordinal)
            select $"{file} is not linked in {Folder}README.md";
        IEnumerable<string> misnamed =
            from file in Decisions()
            where !Name().IsMatch(file)
            select $"{file} is not named NNNN-title-as-the-decision.md";
        IEnumerable<string> repeated =
            from numbered in Decisions().GroupBy(file => file[..4])
            where numbered.Count() > 1
            select $"number {numbered.Key} is given {numbered.Count()} times";

        Findings.None([.. unlisted, .. misnamed, .. repeated], "Give the decision the next number and add its row to the index.");
    }

    [Fact]
    public void Every_decision_fits_on_a_screen_and_says_how_it_could_be_wrong()
    {
        IEnumerable<string> findings =
            from file in Decisions()
            let lines = Repository.Lines(Folder + file)
            where lines.Length > MostLines || !lines.Contains("## We were wrong if")
            select $"{file}: {lines.Length} lines";

        Findings.None(findings, $"A decision has at most {MostLines} lines and the headings of the template in {Folder}README.md, '## We were wrong if' among them.");
    }

    private static IEnumerable<string> Decisions() => Repository.Files
        .Where(file => file.StartsWith(Folder, StringComparison.Ordinal) && file != Folder + "README.md")
        .Select(file => file[Folder.Length..]);

    [GeneratedRegex(@"^\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md$")]
    private static partial Regex Name();
}
