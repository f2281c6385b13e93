namespace Concertina.Tidy.Tests;

/// <summary>The arrows of docs/ARCHITECTURE.md, asserted on the built assemblies.</summary>
public sealed class DependencyTests
{
    /// <summary>Which of our assemblies each one may reference. Contracts see the grain host's abstractions, nothing that implements them.</summary>
    public static TheoryData<string, string[]> Arrows => new()
    {
        { "Runtime", [] },
        { "Tokenization", [] },
        { "Compute", [] },
        { "Contracts", ["Runtime"] },
        { "Grains", ["Contracts", "Compute", "Runtime"] },
        { "Silo", ["Contracts", "Compute", "Grains", "Runtime"] },
        { "Gateway", ["Contracts", "Tokenization", "Runtime"] },
    };

    /// <summary>Which foreign assemblies each one must not reference, by the beginning of their names.</summary>
    public static TheoryData<string, string[]> Forbidden => new()
    {
        { "Tokenization", ["Microsoft.AspNetCore", "Microsoft.Extensions", "Orleans", "System.Net"] },
        { "Contracts", ["Microsoft.AspNetCore", "Microsoft.Extensions", "System.Net"] },
        { "Compute", ["Microsoft.AspNetCore", "Microsoft.Extensions.Configuration", "Microsoft.Extensions.Logging", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Options", "Orleans", "System.Net", "System.Text.RegularExpressions"] },
        { "Grains", ["Microsoft.AspNetCore", "System.Net.Http"] },
    };

    [Theory]
    [MemberData(nameof(Arrows))]
    public void Assembly_references_only_what_the_arrows_allow(string project, string[] allowed)
    {
        IEnumerable<string> wrong = AssemblyFacts.Of(project).References
            .Where(name => name.StartsWith("Concertina.", StringComparison.OrdinalIgnoreCase))
            .Where(name => !allowed.Contains(name["Concertina.".Length..]))
            .Select(name => $"{project} references {name}");

        Findings.None(wrong, $"Move the code to the side of the arrow that may know it (docs/ARCHITECTURE.md), or pass what {project} needs through its parameters.");
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Assembly_does_not_know_foreign_worlds(string project, string[] forbidden)
    {
        IEnumerable<string> wrong = AssemblyFacts.Of(project).References
            .Where(name => forbidden.Any(start => name == start || name.StartsWith(start + ".", StringComparison.Ordinal)))
            .Select(name => $"{project} references {name}");

        Findings.None(wrong, $"{project} must not know this (docs/ARCHITECTURE.md, 'What knows what'). Hand the need in as options, a callback or an interface.");
    }

    [Fact]
    public void Grains_use_no_kernel_and_no_span_arithmetic()
    {
        IEnumerable<string> wrong = AssemblyFacts.Of("Grains").UsedTypes
            .Where(type => type.StartsWith("Concertina.Compute.Kernels.", StringComparison.Ordinal)
                || type.StartsWith("System.Numerics.Tensors.", StringComparison.Ordinal)
                || type.StartsWith("System.Runtime.Intrinsics.", StringComparison.Ordinal));

        Findings.None(wrong, "Grains orchestrate: move the mathematics to src/Compute and call it.");
    }

    [Fact]
    public void Contracts_hold_interfaces_and_messages_and_see_no_engine()
    {
        IEnumerable<string> wrong = AssemblyFacts.Of("Contracts").UsedTypes
            .Where(type => type.StartsWith("Concertina.Runtime.", StringComparison.Ordinal));

        Findings.None(wrong, "Contracts are written to the Orleans programming model alone (namespaces Orleans.*), so that they compile against Orleans too.");
    }

    [Fact]
    public void Every_assembly_of_the_sources_has_its_arrows()
    {
        IEnumerable<string> known = Arrows.Select(row => row.Data.Item1).Append("Cli");
        IEnumerable<string> missing = Repository.Files
            .Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal))
            .Select(Path.GetFileNameWithoutExtension)
            .Except(known)!;

        Findings.None(missing, "Add the project to DependencyTests.Arrows and to docs/ARCHITECTURE.md.");
    }
}
