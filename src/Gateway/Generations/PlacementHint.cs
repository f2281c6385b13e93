using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Concertina.Gateway.Generations;

/// <summary>Names the silo on which a session's grain shall come to life: that of the worker the router chose.</summary>
internal static class PlacementHint
{
    /// <summary>Sets the hint for calls made from here on in this flow. A session that is alive already stays where it is.</summary>
    /// <param name="silo">A silo address in its parsable form; anything else gives no hint, and placement decides.</param>
    public static void Set(string? silo)
    {
        if (Parse(silo) is { } address)
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, address);
        }
    }

    private static SiloAddress? Parse(string? silo)
    {
        if (silo is null || !silo.Contains('@', StringComparison.Ordinal))
        {
            return null;
        }
        try
        {
            return SiloAddress.FromParsableString(silo);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
