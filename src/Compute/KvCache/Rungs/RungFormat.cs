using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

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

    /// <summary>True when the last queries choose which slots are evicted.</summary>
    public bool Observes => Evicts && !Rung.Decided;

    /// <summary>
    /// Columns that may be outside the exact parts and still not fill a unit: segments lie at multiples of their length, so some
    /// are left over behind the first page, and some before the recent window.
    /// </summary>
    public int UnalignedColumns => 2 * (Page.Shape.PageCount - 1);

    /// <summary>Whether a unit may be stored anew in this form, or is in it.</summary>
    public bool Accepts(in UnitEntry entry) => Accepts(Page.KeyCodec, entry.KeyCodec) && Accepts(Page.ValueCodec, entry.ValueCodec);

    /// <summary>Bytes of a unit of this rung.</summary>
    public int UnitBytes => UnitBytesOf(Rung, Page);

    private static bool Accepts(IKvCodec to, byte from) => (byte)to.Id == from || to.Accepts((CodecId)from);

    public static int UnitBytesOf(Rung rung, PageFormat page) => rung.KeepOneIn > 1 ? page.GappedBytes : page.WholeBytes;
}
