using System.Collections.Frozen;
using System.Reflection;
using Concertina.Runtime.Serialization;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Calls;

/// <summary>A grain interface as the host needs it: wire name and methods.</summary>
internal sealed class GrainInterface
{
    private readonly FrozenDictionary<MethodInfo, GrainMethod> _methods;

    /// <exception cref="OrleansConfigurationException">A method cannot be called remotely; the message says why.</exception>
    internal GrainInterface(Type type, GrainSerializer serializer)
    {
        Type = type;
        Name = type.GetCustomAttribute<AliasAttribute>()?.Alias ?? type.FullName!;
        WireType = GrainInterfaceType.Create(Name);
        MethodInfo[] methods = [.. type.GetInterfaces().Prepend(type)
            .Where(candidate => typeof(IGrain).IsAssignableFrom(candidate))
            .SelectMany(candidate => candidate.GetMethods(BindingFlags.Public | BindingFlags.Instance))];
        _methods = methods.ToFrozenDictionary(method => method, method => GrainMethod.Create(this, method, serializer));
        string? twice = _methods.Values.GroupBy(method => method.Alias).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new OrleansConfigurationException(
                $"Grain interface {type} has two methods named '{twice}' on the wire. Give them different [Alias] names.");
        }
    }

    internal Type Type { get; }

    internal string Name { get; }

    internal GrainInterfaceType WireType { get; }

    internal GrainMethod MethodOf(MethodInfo method) => _methods[method];
}
