using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.KvCache.Rungs;

/// <summary>How one rung of a cache stores its pages.</summary>
/// <param name="Rung">The rung.</param>
/// <param name="Page">Codecs and parts of a page.</param>
/// <param name="SizeClass">
/// Size class of its units; on a rung that evicts they have room for position offsets from the start, so that eviction works in place.
/// </param>
internal sealed record RungFormat(Rung Rung, PageFormat Page, int SizeClass)
{
    /// <summary>True when slots are evicted on this rung.</summary>
    public bool Evicts => Rung.KeepOneIn > 1;

    /// <summary>Bytes of a unit of this rung.</summary>
    public int UnitBytes => UnitBytesOf(Rung, Page);

    public static int UnitBytesOf(Rung rung, PageFormat page) => rung.KeepOneIn > 1 ? page.GappedBytes : page.PageBytes;
}
