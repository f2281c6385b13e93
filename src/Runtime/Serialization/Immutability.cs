using System.Net;
using System.Numerics;
using System.Reflection;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Serialization;

/// <summary>Which types a caller and a callee may share.</summary>
internal static class Immutability
{
    private static readonly HashSet<Type> Known =
    [
        typeof(string), typeof(decimal), typeof(Guid), typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan),
        typeof(DateOnly), typeof(TimeOnly), typeof(Uri), typeof(Version), typeof(Half), typeof(Int128), typeof(UInt128),
        typeof(BigInteger), typeof(IPAddress), typeof(CancellationToken), typeof(GrainId), typeof(GrainType), typeof(IdSpan),
        typeof(GrainInterfaceType), typeof(SiloAddress),
    ];

    /// <summary>The type says so itself.</summary>
    internal static bool IsMarked(Type type) => type.GetCustomAttribute<ImmutableAttribute>(inherit: false) is not null;

    /// <summary>Nothing in a value of this type can change.</summary>
    internal static bool IsShareable(Type type)
    {
        if (type.IsPrimitive || type.IsEnum || Known.Contains(type) || IsMarked(type)
            || typeof(IAddressable).IsAssignableFrom(type))
        {
            return true;
        }

        if (!type.IsGenericType)
        {
            return false;
        }

        Type definition = type.GetGenericTypeDefinition();
        bool carries = definition == typeof(Nullable<>) || definition == typeof(System.Collections.Immutable.ImmutableArray<>)
            || type.FullName!.StartsWith("System.ValueTuple`", StringComparison.Ordinal);
        return carries && Array.TrueForAll(type.GetGenericArguments(), IsShareable);
    }
}
