using System.Collections.Concurrent;
using Concertina.Runtime.Calls;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Hosting;

/// <summary>Makes references on one silo.</summary>
internal sealed class GrainFactory(Silo silo) : IClusterClient
{
    private readonly ConcurrentDictionary<Type, GrainInterface> _interfaces = new();

    public IServiceProvider ServiceProvider => silo.Services;

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        (TGrainInterface)Reference(IdOf(typeof(TGrainInterface), primaryKey, grainClassNamePrefix), typeof(TGrainInterface));

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) =>
        (IGrain)Reference(IdOf(grainInterfaceType, grainPrimaryKey, null), grainInterfaceType);

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => (TGrainInterface)Reference(grainId, typeof(TGrainInterface));

    internal object Reference(GrainId grainId, Type interfaceType)
    {
        GrainInterface known = _interfaces.GetOrAdd(interfaceType, static (type, silo) => new GrainInterface(type, silo.Serializer), silo);
        if (silo.Classes.TryGet(grainId.Type, out GrainClass? grainClass) && !interfaceType.IsAssignableFrom(grainClass.Type))
        {
            throw new InvalidCastException($"Grain {grainId} is a {grainClass.Type}, which does not implement {interfaceType}.");
        }

        return GrainProxy.Create(silo, known, grainId);
    }

    private GrainId IdOf(Type interfaceType, string key, string? prefix)
    {
        ArgumentNullException.ThrowIfNull(key);
        return GrainId.Create(silo.Classes.For(interfaceType, prefix).GrainType, key);
    }
}
