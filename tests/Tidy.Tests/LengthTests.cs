namespace Concertina.Tidy.Tests;

public sealed class LengthTests
{
    private const int MostFileLines = 300;
    private const int MostMethodLines = 60;

    /// <summary>Length of lists/length-exceptions.txt. It may be lowered, never raised.</summary>
    private const int MostExceptions = 0;

    [Fact]
    public void Files_and_methods_of_the_sources_fit_in_one_view()
    {
        ReasonedList exceptions = new("length-exceptions.txt");
        List<string> findings = [];
        foreach (string file in Repository.CSharpFiles("src"))
        {
            int lines = Repository.Lines(file).Length;
            if (lines > MostFileLines && !exceptions.Excuses(file))
            {
                findings.Add($"{file}: {lines} lines, at most {MostFileLines}");
            }
            foreach (MethodLength method in MethodLength.In(Repository.Read(file)).Where(method => method.Lines > MostMethodLines))
            {
                if (!exceptions.Excuses($"{file}#{method.Name}"))
                {
                    findings.Add($"{file}({method.FirstLine}): {method.Name} has {method.Lines} lines, at most {MostMethodLines}");
                }
            }
        }

        Findings.None(findings, "Split where the subject changes: a parent keeps the branches, helpers are straight. Do not split at a line count only.");
        exceptions.AssertAllUsed();
        Assert.True(exceptions.Count <= MostExceptions, $"lists/length-exceptions.txt has {exceptions.Count} entries, at most {MostExceptions}: it may only shrink.");
    }

    [Fact]
    public void Length_of_a_method_is_counted_from_its_first_line_to_its_last_brace()
    {
        const string Source = """
            class C
            {
                /// <summary>Not counted.</summary>
                [Obsolete]
                int Outer(int x)
                {
                    int Inner() =>
                        x;
                    return "}".Length + Inner();
                }

                int P
                {
                    get
                    {
                        return 1;
                    }
                }
            }
            """;

        Assert.Equal([new("Outer", 4, 7), new("Inner", 7, 2), new("get", 14, 4)], MethodLength.In(Source));
    }
}
