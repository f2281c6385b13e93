using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>
/// Stores units anew where the old or the new ones cover several heads or pages: the smallest rectangle of places that cuts no
/// unit, all at once; not in tables that eviction has cut. Atomic: the table refers to the old units until all new ones are
/// complete. Engine thread only, between steps.
/// </summary>
internal sealed unsafe class GroupTranscoder(ColumnStore columns, UnitTable units, PageAccess pages, CodecSet codecs, KvShape shape, int mostElements)
{
    private readonly UnitHandle[] _sources = new UnitHandle[shape.HeadCount * MostPages];
    private readonly UnitHandle[] _targets = new UnitHandle[shape.HeadCount * MostPages];
    private readonly float[] _rows = new float[mostElements];

    /// <summary>Most pages of a segment: those of a split of attention.</summary>
    public const int MostPages = PageTable.BlockEntries;

    /// <summary>Heap bytes it keeps.</summary>
    /// <param name="shape">Shape of the model.</param>
    /// <param name="mostElements">Values on one side of the largest unit of any rung.</param>
    public static long ScratchBytes(KvShape shape, int mostElements) =>
        (2L * shape.HeadCount * MostPages * sizeof(ulong)) + ((long)mostElements * sizeof(float));

    /// <summary>The group that a place leads on its way to a rung.</summary>
    /// <param name="table">The table.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the head's list.</param>
    /// <param name="to">The rung.</param>
    /// <param name="range">Columns that may be moved.</param>
    /// <param name="group">The group.</param>
    /// <returns>False when another place leads it, or part of it may not be moved.</returns>
    public bool TryFind(PageTable table, int head, int index, RungFormat to, ColumnRange range, out MoveGroup group)
    {
        int column = index;
        group = Of(to.Page.Shape, head, column);
        if (table.EvictedColumns > 0)
        {
            return false; // its lists are not alike any more
        }
        // Old units may stick out of the new ones' rectangle; the larger one then holds it.
        for (MoveGroup before = default; before != group && group.Column >= range.First && group.Column + group.ColumnCount <= range.Limit;)
        {
            before = group;
            for (int place = 0; place < before.PlaceCount; place++)
            {
                (int atHead, int atColumn) = Place(before, place);
                ref readonly UnitEntry entry = ref units.Entry(table.Unit(atHead, atColumn));
                group = Union(group, Of(ShapeOf(entry), atHead, atColumn));
            }
        }
        return group.Head == head && group.Column == column && group.Column >= range.First && group.Column + group.ColumnCount <= range.Limit;
    }

    /// <summary>Whether a group has units that are not in a rung's form, and all that are not may come to it.</summary>
    public bool IsPending(PageTable table, MoveGroup group, RungFormat to)
    {
        bool differs = false;
        for (int place = 0; place < group.PlaceCount; place++)
        {
            (int head, int column) = Place(group, place);
            ref readonly UnitEntry entry = ref units.Entry(table.Unit(head, column));
            if ((entry.Flags & (UnitFlags.Stays | UnitFlags.Gapped)) != 0 || !to.Accepts(entry))
            {
                return false;
            }
            differs |= !to.Page.Holds(entry) || entry.SizeClass != to.SizeClass;
        }
        return differs;
    }

    /// <summary>Moves a group that is pending.</summary>
    /// <param name="table">Its table.</param>
    /// <param name="group">The group.</param>
    /// <param name="to">Format it gets.</param>
    /// <param name="moved">Pages of heads that were stored anew.</param>
    public TranscodeResult Move(PageTable table, MoveGroup group, RungFormat to, out int moved)
    {
        moved = 0;
        UnitShape unit = to.Page.Shape;
        int targetCount = group.PlaceCount / (unit.HeadCount * unit.PageCount);
        for (int target = 0; target < targetCount; target++)
        {
            if (!columns.TryAllocateFromReserve(to.SizeClass, out _targets[target]))
            {
                columns.ReleaseAll(_targets.AsSpan(0, target));
                return TranscodeResult.NoRoom;
            }
        }
        int sourceCount = CollectSources(table, group, out UnitFlags flags);
        bool stored = true;
        for (int target = 0; target < targetCount && stored; target++)
        {
            stored = TryStore(table, TargetGroup(group, unit, target), to, _targets[target], flags);
        }
        if (!stored)
        {
            columns.ReleaseAll(_targets.AsSpan(0, targetCount));
            foreach (UnitHandle source in _sources.AsSpan(0, sourceCount))
            {
                units.Entry(source).Flags |= UnitFlags.Stays;
            }
            return TranscodeResult.Stays;
        }
        int moreBytes = 0;
        foreach (UnitHandle source in _sources.AsSpan(0, sourceCount))
        {
            moreBytes -= units.StrideBytes(source);
        }
        for (int target = 0; target < targetCount; target++)
        {
            moreBytes += units.StrideBytes(_targets[target]);
            MoveGroup places = TargetGroup(group, unit, target);
            for (int place = 0; place < places.PlaceCount; place++)
            {
                (int head, int column) = Place(places, place);
                table.Replace(head, column, _targets[target], moreBytes);
                moreBytes = 0;
            }
        }
        table.ExactTokens = Math.Min(table.ExactTokens, group.Column * KvShape.PageTokens);
        columns.ReleaseAll(_sources.AsSpan(0, sourceCount));
        moved = group.PlaceCount;
        return TranscodeResult.Moved;
    }

    /// <summary>A place of a group, head by head.</summary>
    public static (int Head, int Column) Place(MoveGroup group, int place) =>
        (group.Head + (place / group.ColumnCount), group.Column + (place % group.ColumnCount));

    private UnitShape ShapeOf(in UnitEntry entry)
    {
        IKvCodec codec = codecs.Get((CodecId)entry.KeyCodec);
        return UnitShape.For(codec.Kind, shape, codec.PageCount);
    }

    // The places that a unit of a shape takes if it takes this one: units lie at multiples of their size.
    private static MoveGroup Of(UnitShape unit, int head, int column) => new(
        head - (head % unit.HeadCount), unit.HeadCount, column - (column % unit.PageCount), unit.PageCount);

    // Sizes are multiples of each other, so the larger one of each kind holds both.
    private static MoveGroup Union(MoveGroup one, MoveGroup other) => new(
        Math.Min(one.Head, other.Head), Math.Max(one.HeadCount, other.HeadCount),
        Math.Min(one.Column, other.Column), Math.Max(one.ColumnCount, other.ColumnCount));

    private static MoveGroup TargetGroup(MoveGroup group, UnitShape unit, int target)
    {
        int across = group.ColumnCount / unit.PageCount;
        return new MoveGroup(
            group.Head + (target / across * unit.HeadCount), unit.HeadCount, group.Column + (target % across * unit.PageCount), unit.PageCount);
    }

    private int CollectSources(PageTable table, MoveGroup group, out UnitFlags flags)
    {
        int count = 0;
        flags = UnitFlags.Sealed;
        for (int place = 0; place < group.PlaceCount; place++)
        {
            (int head, int column) = Place(group, place);
            if (columns.Places.IsLead(table, head, column))
            {
                _sources[count] = table.Unit(head, column);
                flags |= units.Entry(_sources[count++]).Flags & UnitFlags.NonFinite;
            }
        }
        return count;
    }

    private bool TryStore(PageTable table, MoveGroup places, RungFormat to, UnitHandle target, UnitFlags flags)
    {
        ref UnitEntry entry = ref units.Entry(target);
        units.SetForm(ref entry, to.Page.Shape.Kind, (byte)to.Page.KeyCodec.Id, (byte)to.Page.ValueCodec.Id);
        entry.Start = places.Column * KvShape.PageTokens;
        entry.FilledCount = (ushort)to.Page.Shape.SlotCount;
        entry.Flags = flags;
        pages.Decisions(target).Clear(); // units of several places keep none
        return TryStore(table, places, to, KvSide.Keys, target) && TryStore(table, places, to, KvSide.Values, target);
    }

    private bool TryStore(PageTable table, MoveGroup places, RungFormat to, KvSide side, UnitHandle target)
    {
        // Both units have the size of their class, which was made for both parts.
        var unit = new Span<byte>(units.Bytes(target), to.Page.PageBytes);
        Span<byte> part = side == KvSide.Keys ? unit[..to.Page.KeyBytes] : unit[to.Page.KeyBytes..];
        IKvCodec codec = side == KvSide.Keys ? to.Page.KeyCodec : to.Page.ValueCodec;
        UnitHandle first = table.Unit(places.Head, places.Column);
        ref readonly UnitEntry entry = ref units.Entry(first);
        ReadOnlySpan<byte> source = pages.Part(first, side);
        CodecId sourceCodec = (CodecId)(side == KvSide.Keys ? entry.KeyCodec : entry.ValueCodec);
        // One old unit that covers the same places.
        if (ShapeOf(entry) == to.Page.Shape)
        {
            if (sourceCodec == codec.Id)
            {
                source.CopyTo(part);
                return true;
            }
            if (codec.TryConvert(side, sourceCodec, source, part, to.Page.Shape))
            {
                return true;
            }
        }
        Gather(table, places, side);
        int elements = to.Page.Shape.ElementCount;
        return codec.Encode(side, _rows.AsSpan(0, elements), new PartSite(to.Page.Shape, places.Head, places.Column * KvShape.PageTokens), part);
    }

    // [heads, slots, headDim]
    private void Gather(PageTable table, MoveGroup places, KvSide side)
    {
        int pageElements = KvShape.PageTokens * shape.HeadDim;
        for (int place = 0; place < places.PlaceCount; place++)
        {
            (int head, int column) = Place(places, place);
            UnitHandle unit = table.Unit(head, column);
            ref readonly UnitEntry entry = ref units.Entry(unit);
            IKvCodec codec = codecs.Get((CodecId)(side == KvSide.Keys ? entry.KeyCodec : entry.ValueCodec));
            codec.Decode(
                side, pages.Part(unit, side), pages.Site(unit, head, UnitPlaces.PageOf(column, entry)),
                _rows.AsSpan(place * pageElements, pageElements));
        }
    }
}
