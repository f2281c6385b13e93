using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Hosting;

/// <summary>The grain classes of a process, by name and by interface.</summary>
internal sealed class GrainClasses
{
    private readonly Dictionary<GrainType, GrainClass> _byName = [];
    private readonly ConcurrentDictionary<(Type Interface, string? Prefix), GrainClass> _byInterface = new();

    /// <exception cref="OrleansConfigurationException">Two classes have one name.</exception>
    internal GrainClasses(GrainHostBuilder builder, TimeSpan defaultIdleAge)
    {
        IEnumerable<Type> found = builder.Assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && typeof(IGrainBase).IsAssignableFrom(type));
        foreach (Type type in found.Union(builder.GrainTypes))
        {
            GrainClass grainClass = new(type, defaultIdleAge);
            if (!_byName.TryAdd(grainClass.GrainType, grainClass))
            {
                throw new OrleansConfigurationException(
                    $"Grain classes {type} and {_byName[grainClass.GrainType].Type} are both named '{grainClass.GrainType}'. Give one a [GrainType] name.");
            }
        }
    }

    internal bool TryGet(GrainType type, [NotNullWhen(true)] out GrainClass? grainClass) => _byName.TryGetValue(type, out grainClass);

    /// <summary>The class behind an interface.</summary>
    /// <exception cref="ArgumentException">No class or several implement it.</exception>
    internal GrainClass For(Type interfaceType, string? prefix) => _byInterface.GetOrAdd((interfaceType, prefix), Find);

    /// <summary>Source-generated JSON contracts in the assemblies of grain classes and of their interfaces.</summary>
    internal IEnumerable<IJsonTypeInfoResolver> Resolvers() => ContractAssemblies()
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.IsSubclassOf(typeof(JsonSerializerContext)) && !type.IsAbstract)
        .Select(type => type.GetProperty("Default", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)?.GetValue(null))
        .OfType<IJsonTypeInfoResolver>();

    /// <summary>Exception types that both sides of a contract know.</summary>
    internal IEnumerable<Type> Exceptions() => ContractAssemblies()
        .SelectMany(assembly => assembly.GetExportedTypes())
        .Where(type => type.IsSubclassOf(typeof(Exception)) && !type.IsAbstract && !type.ContainsGenericParameters);

    private IEnumerable<Assembly> ContractAssemblies() => _byName.Values
        .SelectMany(grainClass => grainClass.Type.GetInterfaces().Where(type => typeof(IGrain).IsAssignableFrom(type)).Select(type => type.Assembly)
            .Append(grainClass.Type.Assembly))
        .Where(assembly => assembly != typeof(GrainClasses).Assembly)
        .Distinct();

    private GrainClass Find((Type Interface, string? Prefix) wanted)
    {
        GrainClass[] fitting = [.. _byName.Values.Where(grainClass => wanted.Interface.IsAssignableFrom(grainClass.Type)
            && (wanted.Prefix is null || grainClass.Type.FullName!.StartsWith(wanted.Prefix, StringComparison.Ordinal)))];
        return fitting.Length switch
        {
            1 => fitting[0],
            0 => throw new ArgumentException(
                $"No grain class implements {wanted.Interface}. Add its assembly with AddGrains, or the class with AddGrain."),
            _ => throw new ArgumentException(
                $"{wanted.Interface} is implemented by {string.Join(", ", fitting.Select(grainClass => grainClass.Type))}. Choose one with grainClassNamePrefix."),
        };
    }
}
