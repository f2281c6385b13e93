namespace Concertina.Tidy.Tests;

public sealed class BinaryTests
{
    private const long MostBytes = 500_000;

    [Fact]
    public void No_large_binary_is_committed_but_the_demo_models()
    {
        IEnumerable<string> findings =
            from file in Repository.Files
            let bytes = new FileInfo(Repository.FullPath(file)).Length
            where bytes > MostBytes && !IsDemoModel(file) && Repository.IsBinary(file)
            select $"{file}: {bytes:N0} bytes, at most {MostBytes:N0}";

        Findings.None(findings, "A clone carries it for ever: generate it, shrink it, or say where to get it.");
    }

    private static bool IsDemoModel(string file) =>
        (file.StartsWith("models/demo/", StringComparison.Ordinal) || file.StartsWith("models/demo-dms/", StringComparison.Ordinal))
        && (file.EndsWith(".gguf", StringComparison.Ordinal) || file.EndsWith(".kvprofile.safetensors", StringComparison.Ordinal));
}
