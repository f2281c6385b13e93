using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Concertina.Tidy.Tests;

/// <summary>Numbers in the documents come from stored results.</summary>
public sealed partial class ResultTests
{
    private static readonly string[] NeededFacts = ["command", "commit", "hardware", "runtime"];

    [Fact]
    public void Marked_numbers_equal_the_result_they_name()
    {
        IEnumerable<string> findings =
            from file in Repository.Files
            where file.EndsWith(".md", StringComparison.Ordinal)
            from Match match in Marker().Matches(Repository.Read(file))
            let wrong = Difference(match.Groups["file"].Value, match.Groups["path"].Value, match.Groups["number"].Value)
            where wrong is not null
            select $"{file}: {match.Value}: {wrong}";

        Findings.None(findings, "Write the number that the stored result holds, rounded as you like, right after the marker; run the command in the result again if the code has changed.");
    }

    [Fact]
    public void Speeds_in_the_readme_carry_a_marker()
    {
        string text = Marker().Replace(string.Join('\n', MarkdownLink.Prose(Repository.Read("README.md")).Select(line => line.Text)), "");
        IEnumerable<string> findings = Speed().Matches(text).Select(match => match.Value);

        Findings.None(findings, "A speed needs its result: put <!-- result: bench/results/FILE.json#path --> before the number.");
    }

    [Fact]
    public void Every_stored_result_says_how_it_was_made()
    {
        IEnumerable<string> findings =
            from file in Repository.Files
            where file.StartsWith("bench/results/", StringComparison.Ordinal) && file.EndsWith(".json", StringComparison.Ordinal)
            from fact in NeededFacts
            where !Facts(file).Contains(fact)
            select $"{file}: no \"{fact}\"";

        Findings.None(findings, "A result without command, commit, hardware and runtime does not exist.");
    }

    [Theory]
    [InlineData("12.3", 12.34, true)]
    [InlineData("12.4", 12.34, false)]
    [InlineData("1,234", 1234.4, true)]
    [InlineData("98", 0.98, false)]
    public void A_number_may_be_rounded_but_not_changed(string written, double stored, bool equal) => Assert.Equal(equal, SameNumber(written, stored));

    private static string? Difference(string file, string path, string written)
    {
        if (!Repository.Files.Contains(file))
        {
            return $"no file {file}";
        }
        JsonElement value = JsonDocument.Parse(Repository.Read(file)).RootElement;
        foreach (string name in path.Split('.'))
        {
            if (value.ValueKind == JsonValueKind.Array && int.TryParse(name, out int index) && index < value.GetArrayLength())
            {
                value = value[index];
            }
            else if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return $"no {path} in {file}";
            }
        }
        return value.ValueKind == JsonValueKind.Number && SameNumber(written, value.GetDouble()) ? null : $"the result holds {value}";
    }

    private static bool SameNumber(string written, double stored)
    {
        string plain = written.Replace(",", "", StringComparison.Ordinal);
        int decimals = plain.Contains('.') ? plain.Length - plain.IndexOf('.') - 1 : 0;
        return double.Parse(plain, CultureInfo.InvariantCulture) == Math.Round(stored, decimals, MidpointRounding.AwayFromZero);
    }

    private static HashSet<string> Facts(string file)
    {
        JsonElement root = JsonDocument.Parse(Repository.Read(file)).RootElement;
        return root.ValueKind == JsonValueKind.Object ? [.. root.EnumerateObject().Select(property => property.Name)] : [];
    }

    [GeneratedRegex(@"<!-- result: (?<file>[^#\s]+)#(?<path>\S+) -->\s*\**(?<number>[0-9][0-9,]*(\.[0-9]+)?)")]
    private static partial Regex Marker();

    [GeneratedRegex(@"[0-9][0-9.,]* ?(tokens per second|tokens a second|tokens/s|tok/s|GB/s|GiB/s)")]
    private static partial Regex Speed();
}
