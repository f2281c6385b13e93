using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

public sealed partial class SourceTests
{
    private const string ThisProject = "tests/Tidy.Tests/";
    private const string NamesOfOrleans = "src/Runtime/Orleans/";
    private static readonly string[] SourceEndings = [".cs", ".py", ".cpp", ".sh", ".props", ".csproj", ".yml", ".yaml", ".md"];

    [Fact]
    public void No_leftover_note_stands_without_an_issue()
    {
        IEnumerable<string> findings =
            from file in SourceFiles()
            from line in Numbered(file)
            where FixMe().IsMatch(line.Text) || (ToDo().IsMatch(line.Text) && !ToDoWithIssue().IsMatch(line.Text))
            select $"{file}({line.Number}): {line.Text.Trim()}";

        Findings.None(findings, "Do it, or write the issue: 'TODO(#12): what and why'. A FIXME is removed before it lands.");
    }

    [Fact]
    public void No_region_hides_code()
    {
        IEnumerable<string> findings =
            from file in Repository.CSharpFiles("src", "tests", "bench")
            from line in Numbered(file)
            where line.Text.TrimStart().StartsWith("#region", StringComparison.Ordinal)
            select $"{file}({line.Number})";

        Findings.None(findings, "Split the file instead.");
    }

    [Fact]
    public void Types_are_not_named_after_nothing()
    {
        IEnumerable<string> findings =
            from file in Repository.CSharpFiles("src")
            where !file.StartsWith(NamesOfOrleans, StringComparison.Ordinal) && EmptyName().IsMatch(Path.GetFileNameWithoutExtension(file))
            select file;

        Findings.None(findings, "Name the thing by the field's word for what it does; Manager, Helper, Utils, Common, Base and Impl say nothing.");
    }

    [Fact]
    public void No_test_waits_on_the_clock()
    {
        ReasonedList reasons = new("delays-in-tests.txt");
        List<string> findings = [];
        foreach (string file in Repository.CSharpFiles("tests").Where(file => !file.StartsWith(ThisProject, StringComparison.Ordinal)))
        {
            List<string> found = [.. Numbered(file).Where(line => Waiting().IsMatch(line.Text)).Select(line => $"{file}({line.Number}): {line.Text.Trim()}")];
            if (found.Count > 0 && !reasons.Excuses(file))
            {
                findings.AddRange(found);
            }
        }

        Findings.None(findings, "Wait on a signal with a guard, or advance a manual TimeProvider. If real time is the subject, add the file with its reason to tests/Tidy.Tests/lists/delays-in-tests.txt.");
        reasons.AssertAllUsed();
    }

    private static IEnumerable<string> SourceFiles() => Repository.Files.Where(file =>
        SourceEndings.Contains(Path.GetExtension(file)) && !file.StartsWith(ThisProject, StringComparison.Ordinal));

    private static IEnumerable<(int Number, string Text)> Numbered(string file) => Repository.Lines(file).Select((text, index) => (index + 1, text));

    [GeneratedRegex(@"\bFIXME\b|\bXXX\b|\bHACK\b")]
    private static partial Regex FixMe();

    [GeneratedRegex(@"\bTODO\b")]
    private static partial Regex ToDo();

    [GeneratedRegex(@"\bTODO\(#\d+\): \S")]
    private static partial Regex ToDoWithIssue();

    [GeneratedRegex("(Manager|Helper|Helpers|Utils|Util|Common|Base|Impl)$")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"\bThread\.Sleep\(|\bTask\.Delay\(|\bStopwatch\b")]
    private static partial Regex Waiting();
}
