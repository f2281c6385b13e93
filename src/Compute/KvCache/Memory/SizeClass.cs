namespace Concertina.Compute.KvCache.Memory;

/// <summary>Units of one size: how an extent is cut for them.</summary>
/// <param name="UnitBytes">Bytes a unit asks for.</param>
/// <param name="StrideBytes">Bytes a unit takes: the extent divided evenly, whole cache lines.</param>
/// <param name="SlotsPerExtent">Units of one extent.</param>
internal readonly record struct SizeClass(int UnitBytes, int StrideBytes, int SlotsPerExtent)
{
    private const int LineBytes = 64;

    /// <summary>Smallest stride, so that an extent's occupancy fits its bitmap.</summary>
    public const int MinimumBytes = ExtentArena.ExtentBytes / ExtentArena.MaximumSlots;

    /// <summary>A unit's share of its extent, rounded up: units x share always covers the extents they fill.</summary>
    public int ShareBytes => (ExtentArena.ExtentBytes + SlotsPerExtent - 1) / SlotsPerExtent;

    /// <exception cref="ArgumentOutOfRangeException">The unit does not fit one extent.</exception>
    public static SizeClass For(int unitBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(unitBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(unitBytes, ExtentArena.ExtentBytes);
        int rounded = Math.Max((unitBytes + LineBytes - 1) / LineBytes * LineBytes, MinimumBytes);
        int slots = ExtentArena.ExtentBytes / rounded;
        return new SizeClass(unitBytes, ExtentArena.ExtentBytes / slots / LineBytes * LineBytes, slots);
    }
}
