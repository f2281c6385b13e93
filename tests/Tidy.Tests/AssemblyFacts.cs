using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Concertina.Tidy.Tests;

/// <summary>What the metadata of one built assembly says it uses.</summary>
/// <param name="References">Simple names of the assemblies it references.</param>
/// <param name="UsedTypes">Full names of the foreign types it uses.</param>
internal sealed record AssemblyFacts(IReadOnlyList<string> References, IReadOnlyList<string> UsedTypes)
{
    /// <param name="project">Name of the project; the assembly lies beside the tests.</param>
    public static AssemblyFacts Of(string project)
    {
        using PEReader image = new(File.OpenRead(PathOf(project)));
        MetadataReader metadata = image.GetMetadataReader();
        return new AssemblyFacts(
            [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))],
            [.. metadata.TypeReferences.Select(handle => FullName(metadata, metadata.GetTypeReference(handle)))]);
    }

    public static string PathOf(string project) => Path.Combine(AppContext.BaseDirectory, $"Concertina.{project}.dll");

    private static string FullName(MetadataReader metadata, TypeReference type) =>
        $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
}
