using System.Reflection;
using Concertina.Runtime.Activations;
using Concertina.Runtime.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Placement;
using Orleans.Runtime;

namespace Concertina.Runtime.Hosting;

/// <summary>A grain class as the host needs it: name, constructor, states, idle age, placement.</summary>
internal sealed class GrainClass
{
    private readonly ObjectFactory _construct;
    private readonly (PersistentStateAttribute Attribute, Type ValueType)[] _states;

    internal GrainClass(Type type, TimeSpan defaultIdleAge)
    {
        Type = type;
        GrainType = GrainType.Create(NameOf(type));
        IdleAge = IdleAgeOf(type, defaultIdleAge);
        Placement = type.GetCustomAttribute<PlacementAttribute>()?.PlacementStrategy ?? new RandomPlacement();
        ParameterInfo[] states = StateParameters(type);
        _states = [.. states.Select(parameter =>
            (parameter.GetCustomAttribute<PersistentStateAttribute>()!, parameter.ParameterType.GetGenericArguments()[0]))];
        _construct = ActivatorUtilities.CreateFactory(type, [.. states.Select(parameter => parameter.ParameterType)]);
    }

    internal Type Type { get; }

    internal GrainType GrainType { get; }

    /// <summary>Idle time after which an activation is collected; null: never.</summary>
    internal TimeSpan? IdleAge { get; }

    internal PlacementStrategy Placement { get; }

    internal object?[] CreateStates(Activation activation) =>
        [.. _states.Select(state => StateOf(activation, state.Attribute, state.ValueType))];

    internal object Construct(IServiceProvider services, object?[] states) => _construct(services, states);

    // The class name in lower case without the suffix "Grain", as on Orleans, unless the class says its name.
    private static string NameOf(Type type)
    {
        if (type.GetCustomAttribute<GrainTypeAttribute>() is { } named)
        {
            return named.Name;
        }

        string name = type.Name.ToLowerInvariant();
        return name.Length > "grain".Length && name.EndsWith("grain", StringComparison.Ordinal) ? name[..^"grain".Length] : name;
    }

    private static TimeSpan? IdleAgeOf(Type type, TimeSpan defaultAge)
    {
        if (type.GetCustomAttribute<KeepAliveAttribute>() is not null)
        {
            return null;
        }

        CollectionAgeLimitAttribute? limit = type.GetCustomAttribute<CollectionAgeLimitAttribute>();
        return limit is { AlwaysActive: true } ? null : limit?.AgeLimit ?? defaultAge;
    }

    private static ParameterInfo[] StateParameters(Type type)
    {
        ParameterInfo[] states = [.. type.GetConstructors()
            .SelectMany(constructor => constructor.GetParameters())
            .Where(parameter => parameter.GetCustomAttribute<PersistentStateAttribute>() is not null)];
        foreach (ParameterInfo parameter in states)
        {
            if (!parameter.ParameterType.IsGenericType
                || parameter.ParameterType.GetGenericTypeDefinition() != typeof(IPersistentState<>))
            {
                throw new OrleansConfigurationException(
                    $"Parameter '{parameter.Name}' of {type} has [PersistentState] but is not an IPersistentState<T>.");
            }
        }

        return states;
    }

    private static object StateOf(Activation activation, PersistentStateAttribute attribute, Type valueType)
    {
        string store = attribute.StorageName ?? "Default";
        IStateStore storage = activation.Silo.Services.GetKeyedService<IStateStore>(store)
            ?? throw new OrleansConfigurationException(
                $"{activation.Class.Type} keeps state '{attribute.StateName}' in store '{store}', which is not registered. Add it with AddMemoryState(\"{store}\") or AddFileState(\"{store}\", directory).");
        return Activator.CreateInstance(
            typeof(PersistentState<>).MakeGenericType(valueType),
            BindingFlags.Instance | BindingFlags.NonPublic,
            null,
            [storage, new StateKey(activation.GrainId.ToString(), attribute.StateName), activation.Silo.Serializer],
            null)!;
    }
}
