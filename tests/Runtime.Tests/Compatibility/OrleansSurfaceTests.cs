using System.Reflection;
using Orleans;

namespace Concertina.Runtime.Tests.Compatibility;

/// <summary>Every public name of the host in the namespaces Orleans* is a name of the published assemblies, with the same signature.</summary>
public sealed class OrleansSurfaceTests
{
    // Orleans spreads its names over these assemblies; a type that leaves its assembly must be noticed too.
    private static readonly Dictionary<string, string> OutsideOfAbstractions = new()
    {
        ["Orleans.IClusterClient"] = "Orleans.Core",
        ["Orleans.KeepAliveAttribute"] = "Orleans.Core",
        ["Orleans.CollectionAgeLimitAttribute"] = "Orleans.Core",
        ["Orleans.Runtime.ILocalSiloDetails"] = "Orleans.Core",
        ["Orleans.Runtime.SiloStatus"] = "Orleans.Core",
        ["Orleans.Runtime.Placement.IPlacementDirector"] = "Orleans.Core",
        ["Orleans.Runtime.Placement.IPlacementContext"] = "Orleans.Core",
        ["Orleans.Runtime.Placement.PlacementTarget"] = "Orleans.Core",
        ["Orleans.Storage.InconsistentStateException"] = "Orleans.Core",
        ["Orleans.Runtime.IPersistentState`1"] = "Orleans.Runtime",
        ["Orleans.Runtime.PersistentStateAttribute"] = "Orleans.Runtime",
        ["Orleans.GenerateSerializerAttribute"] = "Orleans.Serialization.Abstractions",
        ["Orleans.IdAttribute"] = "Orleans.Serialization.Abstractions",
        ["Orleans.AliasAttribute"] = "Orleans.Serialization.Abstractions",
        ["Orleans.ImmutableAttribute"] = "Orleans.Serialization.Abstractions",
        ["Orleans.ResponseTimeoutAttribute"] = "Orleans.Serialization.Abstractions",
    };

    [Fact]
    public void No_public_member_is_extra_or_different()
    {
        Dictionary<string, Dictionary<string, HashSet<string>>> published = OutsideOfAbstractions.Values
            .Append("Orleans.Core.Abstractions").Distinct()
            .ToDictionary(name => name, name => PublicSurface.Read(PathOf(name)));
        Dictionary<string, HashSet<string>> ours = PublicSurface.Read(typeof(Grain).Assembly.Location);
        List<string> differences = [];

        foreach ((string type, HashSet<string> lines) in ours.Where(pair => pair.Key.StartsWith("Orleans.", StringComparison.Ordinal)))
        {
            string assembly = OutsideOfAbstractions.GetValueOrDefault(type, "Orleans.Core.Abstractions");
            if (!published[assembly].TryGetValue(type, out HashSet<string>? theirs))
            {
                differences.Add($"{type} is not in {assembly}");
                continue;
            }

            differences.AddRange(lines.Except(theirs).Select(line => $"{type}: {line}"));
        }

        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.True(ours.Keys.Count(type => type.StartsWith("Orleans.", StringComparison.Ordinal)) > 40, "The host lost its names.");
    }

    private static string PathOf(string assembly)
    {
        string path = typeof(OrleansSurfaceTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == assembly).Value!;
        Assert.True(File.Exists(path), $"{path} is missing; restore this project.");
        return path;
    }
}
