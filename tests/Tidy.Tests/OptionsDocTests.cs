using System.Reflection;

namespace Concertina.Tidy.Tests;

public sealed class OptionsDocTests
{
    private const string Document = "docs/configuration.md";

    [Fact]
    public void Every_public_option_stands_in_the_documentation_with_its_default_and_range()
    {
        string[] rows = [.. Repository.Lines(Document).Where(line => line.StartsWith('|'))];
        IEnumerable<string> findings = OptionFacts.All()
            .Where(option => !rows.Any(row => row.StartsWith(option.RowBeginning, StringComparison.Ordinal)))
            .Select(option => option.RowBeginning);

        Findings.None(findings, $"Each option has a row in {Document} that begins as below; add its meaning after it.");
    }

    [Fact]
    public void Every_documented_option_exists()
    {
        HashSet<string> known = [.. OptionFacts.All().Select(option => $"`{option.Key}`")];
        IEnumerable<string> findings = Repository.Lines(Document)
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !line.StartsWith("| `--", StringComparison.Ordinal))
            .Select(line => line.Split('|')[1].Trim())
            .Where(key => key.Contains(':') && !known.Contains(key));

        Findings.None(findings, $"Remove these rows from {Document}: no options record has them.");
    }

    [Fact]
    public void Options_records_are_sealed_and_immutable()
    {
        ReasonedList exceptions = new("mutable-options.txt");
        IEnumerable<string> findings =
            from type in OptionFacts.Types()
            let found = Mutable(type).ToArray()
            where found.Length > 0 && !exceptions.Excuses(type.FullName!)
            from finding in found
            select finding;

        Findings.None(findings, "Options are sealed records with init-only properties.");
        exceptions.AssertAllUsed();
    }

    private static IEnumerable<string> Mutable(Type type)
    {
        if (!type.IsSealed)
        {
            yield return $"{type.FullName} is not sealed";
        }
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            bool settable = property.SetMethod is { IsPublic: true } set
                && !set.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");
            if (settable)
            {
                yield return $"{type.FullName}.{property.Name} can be set";
            }
        }
    }
}
