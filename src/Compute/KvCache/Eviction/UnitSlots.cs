using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>Reads the slots of a table's units: how many are filled, at which positions, with which keys.</summary>
internal sealed unsafe class UnitSlots(UnitTable units, PageAccess pages, CodecSet codecs)
{
    /// <summary>What the table of units says of a unit.</summary>
    public ref readonly UnitEntry Entry(UnitHandle unit) => ref units.Entry(unit);

    /// <summary>Filled slots of a unit.</summary>
    public int Count(PageTable table, UnitHandle unit)
    {
        ref UnitEntry entry = ref units.Entry(unit);
        return entry.Flags.HasFlag(UnitFlags.Sealed)
            ? entry.FilledCount
            : Math.Clamp(table.TokenCount - entry.Start, 0, KvShape.PageTokens);
    }

    /// <summary>Writes the positions of a unit's filled slots.</summary>
    /// <returns>Filled slots.</returns>
    public int Positions(PageTable table, int head, UnitHandle unit, Span<int> positions)
    {
        int count = Count(table, unit);
        PartSite site = pages.Site(unit, head);
        for (int slot = 0; slot < count; slot++)
        {
            positions[slot] = site.Position(slot);
        }
        return count;
    }

    /// <summary>What the model decided of a unit's slots (<see cref="SlotDecision"/>); empty where none is kept.</summary>
    public Span<byte> Decisions(UnitHandle unit) => pages.Decisions(unit);

    /// <summary>Decodes the keys of a unit's filled slots, [count, headDim].</summary>
    /// <returns>Bytes read.</returns>
    public int DecodeKeys(int head, UnitHandle unit, Span<float> keys)
    {
        IKvCodec codec = codecs.Get((CodecId)units.Entry(unit).KeyCodec);
        PartSite site = pages.Site(unit, head);
        int bytes = codec.PartBytes(KvSide.Keys, site.Shape);
        codec.Decode(KvSide.Keys, new ReadOnlySpan<byte>(units.Bytes(unit), bytes), site, keys);
        return bytes;
    }
}
