namespace Concertina.Tidy.Tests;

public sealed class CodecFolderTests
{
    private const string Codecs = "src/Compute/KvCache/Codecs/";

    [Fact]
    public void Every_codec_folder_has_codec_kernels_and_readme()
    {
        List<string> findings = [];
        foreach (string folder in CodecFolders())
        {
            string[] needed = [$"{folder}Codec.cs", $"{folder}Kernels.cs", "README.md"];
            findings.AddRange(needed.Where(file => !Repository.Files.Contains($"{Codecs}{folder}/{file}")).Select(file => $"{Codecs}{folder}/{file} is missing"));
        }

        Findings.None(findings, "See docs/adding-a-codec.md: a codec is one folder with layout and loops, vector code with its scalar twin, and a README with source, bound and bytes.");
    }

    [Fact]
    public void Every_codec_is_in_the_catalog()
    {
        string catalog = Codecs + "CodecCatalog.cs";
        IEnumerable<string> findings = CodecFolders()
            .Where(folder => !Repository.Read(catalog).Contains($"{folder}Codec", StringComparison.Ordinal))
            .Select(folder => $"{folder}Codec");

        Findings.None(findings, $"Add one line to {catalog}.");
    }

    private static IEnumerable<string> CodecFolders() => Repository.Files
        .Where(file => file.StartsWith(Codecs, StringComparison.Ordinal) && file.EndsWith("Codec.cs", StringComparison.Ordinal))
        .Select(file => file[Codecs.Length..].Split('/'))
        .Where(parts => parts.Length > 1)
        .Select(parts => parts[0])
        .Distinct();
}
