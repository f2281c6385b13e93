namespace Orleans.Runtime.Placement;

/// <summary>The grain that needs a silo.</summary>
public readonly struct PlacementTarget
{
    /// <summary>A grain and the request that asks for it.</summary>
    public PlacementTarget(
        GrainId grainIdentity, Dictionary<string, object>? requestContextData, GrainInterfaceType interfaceType, ushort interfaceVersion)
    {
        GrainIdentity = grainIdentity;
        RequestContextData = requestContextData;
        InterfaceType = interfaceType;
        InterfaceVersion = interfaceVersion;
    }

    /// <summary>Identity of the grain.</summary>
    public GrainId GrainIdentity { get; }

    /// <summary>Interface of the call.</summary>
    public GrainInterfaceType InterfaceType { get; }

    /// <summary>Version of the interface; 0 here.</summary>
    public ushort InterfaceVersion { get; }

    /// <summary>Request context of the call, or null.</summary>
    public Dictionary<string, object>? RequestContextData { get; }
}
