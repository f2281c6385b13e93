using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

/// <summary>Nothing in the tree may speak of the machine it was written on.</summary>
public sealed partial class WordTests
{
    private const string ThisFile = "tests/Tidy.Tests/WordTests.cs";

    [Fact]
    public void No_path_of_somebodys_machine_is_written_down()
    {
        IEnumerable<string> findings =
            from line in AllLines()
            let match = MachinePath().Match(line.Text)
            where match.Success
            select $"{line.File}({line.Number}): {match.Value}";

        Findings.None(findings, "Use a path relative to the repository, an option, or a temporary folder that the test makes.");
    }

    [Fact]
    public void Only_known_hosts_are_named()
    {
        ReasonedList hosts = new("hosts.txt");
        IEnumerable<string> findings =
            from line in AllLines()
            from match in Url().Matches(line.Text)
            let host = match.Groups["host"].Value.ToLowerInvariant()
            where !IsExample(host) && !hosts.Excuses(host)
            select $"{line.File}({line.Number}): {host}";

        Findings.None(findings, "If the link should be there, add its host with a reason to tests/Tidy.Tests/lists/hosts.txt; a private host, mirror or registry never should.");
    }

    [Fact]
    public void No_merge_conflict_is_left()
    {
        IEnumerable<string> findings =
            from line in AllLines()
            where Conflict().IsMatch(line.Text)
            select $"{line.File}({line.Number})";

        Findings.None(findings, "Resolve the conflict.");
    }

    private static IEnumerable<(string File, int Number, string Text)> AllLines() =>
        from file in Repository.TextFiles()
        where file != ThisFile && !IsData(file)
        from line in Repository.Lines(file).Select((text, index) => (Number: index + 1, Text: text))
        select (file, line.Number, line.Text);

    /// <summary>Model data: its text was made by the model.</summary>
    private static bool IsData(string file) => file.StartsWith("models/demo/eval_project/", StringComparison.Ordinal);

    private static bool IsExample(string host) =>
        host is "localhost" or "127.0.0.1" or "0.0.0.0" or "example" or "test" || host.EndsWith(".example", StringComparison.Ordinal) || host.EndsWith(".test", StringComparison.Ordinal)
        || host.EndsWith("example.com", StringComparison.Ordinal) || host.EndsWith("example.org", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<![\w.)}/*])/(root|work|home|Users|tmp)/[\w.]+|\b[A-Z]:\\(Users|src|work)\\")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bhttps?://(?<host>[A-Za-z0-9][A-Za-z0-9.-]*)")]
    private static partial Regex Url();

    [GeneratedRegex(@"^(<<<<<<< |>>>>>>> |=======$)")]
    private static partial Regex Conflict();
}
