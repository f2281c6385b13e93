using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Concertina.Cli.Benches;

/// <summary>What a result was measured on.</summary>
internal static class Machine
{
    /// <summary>Commit the binary was built from; <c>unknown</c> outside a checkout.</summary>
    public static string Commit { get; } = FindCommit();

    /// <summary>Processor, cores, memory.</summary>
    public static string Hardware { get; } = string.Create(CultureInfo.InvariantCulture,
        $"{Processor()}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):F0} GiB");

    /// <summary>.NET runtime and operating system.</summary>
    public static string Runtime { get; } = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}";

    private static string FindCommit()
    {
        // The SDK appends "+<commit>" to the version of a build from a checkout.
        string? version = typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return version?.Split('+') is [_, { Length: > 0 } commit] ? commit : "unknown";
    }

    private static string Processor()
    {
        const string file = "/proc/cpuinfo";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':') is [_, { } name] ? name.Trim() : RuntimeInformation.ProcessArchitecture.ToString();
    }
}
