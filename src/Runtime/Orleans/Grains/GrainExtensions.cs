using Concertina.Runtime.Activations;
using Concertina.Runtime.Calls;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Identity of grains and references, and the way from a grain object to its reference.</summary>
public static class GrainExtensions
{
    /// <summary>The reference other grains may hold of this grain. Never hand out <c>this</c>.</summary>
    /// <exception cref="InvalidCastException">The grain does not implement the interface.</exception>
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain) =>
        (TGrainInterface)AsReference(grain, typeof(TGrainInterface));

    /// <summary>The same grain through another of its interfaces.</summary>
    public static TGrainInterface Cast<TGrainInterface>(this IAddressable grain) =>
        (TGrainInterface)AsReference(grain, typeof(TGrainInterface));

    /// <summary>The reference other grains may hold of this grain.</summary>
    public static object AsReference(this IAddressable grain, Type interfaceType)
    {
        ArgumentNullException.ThrowIfNull(grain);
        ArgumentNullException.ThrowIfNull(interfaceType);
        return grain is GrainProxy proxy
            ? proxy.Silo.Factory.Reference(proxy.Target, interfaceType)
            : Activation.Of(grain).Silo.Factory.Reference(Activation.Of(grain).GrainId, interfaceType);
    }

    /// <summary>The same grain through another of its interfaces.</summary>
    public static object Cast(this IAddressable grain, Type interfaceType) => AsReference(grain, interfaceType);

    /// <summary>Identity of a grain or of what a reference points to.</summary>
    public static GrainId GetGrainId(this IAddressable grain)
    {
        ArgumentNullException.ThrowIfNull(grain);
        return grain is GrainProxy proxy ? proxy.Target : Activation.Of(grain).GrainId;
    }

    /// <summary>The string key of a grain or of what a reference points to.</summary>
    public static string GetPrimaryKeyString(this IAddressable grain) => GetGrainId(grain).Key.ToString();
}
