using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public void Every_code_block_of_the_readme_is_run_by_a_check()
    {
        List<string> findings = [];
        foreach (Match block in Block().Matches(Repository.Read("README.md")))
        {
            string first = block.Groups["code"].Value.Split('\n')[0];
            string? checkedBy = block.Groups["by"].Success ? block.Groups["by"].Value : null;
            if (checkedBy is null)
            {
                findings.Add($"'{first}' has no <!-- checked-by: FILE --> line right before it");
            }
            else if (!Repository.Files.Contains(checkedBy) || !Repository.Read(checkedBy).Contains("README.md", StringComparison.Ordinal))
            {
                findings.Add($"'{first}' names {checkedBy}, which does not read README.md");
            }
        }

        Findings.None(findings, "A block that nothing runs goes stale: name the check (a script or test) that takes the block from README.md and runs it.");
    }

    [GeneratedRegex(@"(<!-- checked-by: (?<by>\S+)( \w+)? -->\n)?```\w*\n(?<code>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
