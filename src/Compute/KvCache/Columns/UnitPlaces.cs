using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>
/// Which part of a unit an entry of a page list stands for. A layer page, a column or a segment stands in the lists once per head
/// and page that it covers. The first of these places leads: it alone holds the table's reference to the unit, and counts its
/// bytes. Lists are read, never changed.
/// </summary>
internal sealed class UnitPlaces(UnitTable units, int kvHeadCount)
{
    /// <summary>Whether a place leads its unit, so that its table holds a reference for it.</summary>
    /// <param name="table">The table.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the head's list.</param>
    public bool IsLead(PageTable table, int head, int index)
    {
        ref readonly UnitEntry entry = ref units.Entry(table.Unit(head, index));
        return entry.Kind == UnitKind.HeadPage || (head == LeadHead(entry.Kind, head) && PageOf(index, entry) == 0);
    }

    /// <summary>The place that leads the unit of a place.</summary>
    public (int Head, int Index) Lead(PageTable table, int head, int index)
    {
        ref readonly UnitEntry entry = ref units.Entry(table.Unit(head, index));
        int lead = LeadHead(entry.Kind, head);
        return (lead, index - PageOf(index, entry));
    }

    /// <summary>Which page of its unit a place is.</summary>
    public static int PageOf(int index, in UnitEntry entry) => entry.Kind == UnitKind.Segment ? index - (entry.Start / KvShape.PageTokens) : 0;

    /// <summary>First head of the unit of a kind that covers a head.</summary>
    public int LeadHead(UnitKind kind, int head) => kind switch
    {
        UnitKind.LayerPage => head - (head % kvHeadCount),
        UnitKind.Column => 0,
        _ => head,
    };

    /// <summary>Bytes that a place counts: its unit's stride where it leads, else none.</summary>
    public int Bytes(PageTable table, int head, int index) => IsLead(table, head, index) ? units.StrideBytes(table.Unit(head, index)) : 0;

    /// <summary>The last column, at or before a count, at which a table can be cut without cutting a segment.</summary>
    public int WholeColumns(PageTable table, int columns)
    {
        int whole = columns;
        for (int head = 0; columns > table.EvictedColumns && head < table.Owner.Shape.HeadCount; head++)
        {
            int last = table.IndexOf(head, columns) - 1;
            if (last >= table.UnitCount(head))
            {
                continue;
            }
            ref readonly UnitEntry entry = ref units.Entry(table.Unit(head, last));
            bool sticksOut = entry.Kind == UnitKind.Segment && entry.Start + entry.FilledCount > columns * KvShape.PageTokens;
            whole = sticksOut ? Math.Min(whole, entry.Start / KvShape.PageTokens) : whole;
        }
        return whole;
    }
}
