using System.Reflection;
using Concertina.Runtime.Hosting;
using Orleans.Runtime;

namespace Concertina.Runtime.Calls;

/// <summary>A reference to a grain. Two references to the same grain are equal.</summary>
public class GrainProxy : DispatchProxy, IAddressable
{
    private GrainInterface? _interface;

    internal Silo Silo { get; private set; } = null!;

    internal GrainId Target { get; private set; }

    internal GrainInterface Interface => _interface!;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is GrainProxy other && other.Target == Target;

    /// <inheritdoc/>
    public override int GetHashCode() => Target.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"{Interface.Name} {Target}";

    internal static GrainProxy Create(Silo silo, GrainInterface grainInterface, GrainId target)
    {
        GrainProxy proxy = (GrainProxy)DispatchProxy.Create(grainInterface.Type, typeof(GrainProxy));
        proxy.Silo = silo;
        proxy.Target = target;
        proxy._interface = grainInterface;
        return proxy;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _interface!.MethodOf(targetMethod!).Call(this, args ?? []);
}
