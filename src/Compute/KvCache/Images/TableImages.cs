using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Images;

/// <summary>
/// Copies page tables out of the arena, bit by bit. After the state come records: first one per layer with the last queries, where
/// the table keeps them, then one per rank with the units at that place of all lists (a rank is a column, unless eviction has
/// cut it). A unit that covers several places comes with the first; the others have a head alone. Nothing of what an unfilled slot held before goes out. Engine thread only.
/// </summary>
internal sealed unsafe class TableImages(CacheInterior inside, KvShape shape)
{
    /// <summary>Most bytes of any record; the first, of a few numbers a list, is far below.</summary>
    public int MostRecordBytes => Math.Max(
        inside.Observations.SizeClass < 0 ? 0 : inside.Observations.UnitBytes, (shape.HeadCount * UnitHead.Bytes) + MostRankBytes);

    /// <summary>Records of a table, the first not counted.</summary>
    public static int RecordCount(PageTable table) => table.Rings.Length + table.LongestList;

    /// <summary>Bytes of a record.</summary>
    /// <param name="table">The table.</param>
    /// <param name="index">Place of the record, 0 for the one after the first.</param>
    public int RecordBytes(PageTable table, int index)
    {
        if (index < table.Rings.Length)
        {
            return inside.Observations.UnitBytes;
        }
        int rank = index - table.Rings.Length;
        int bytes = 0;
        for (int head = 0; head < shape.HeadCount; head++)
        {
            bytes += rank < table.UnitCount(head) ? UnitHead.Bytes + PlaceBytes(table, head, rank) : 0;
        }
        return bytes;
    }

    /// <summary>Copies a record out.</summary>
    /// <param name="table">A table whose open page holds no slot beyond its tokens.</param>
    /// <param name="index">Place of the record.</param>
    /// <param name="record">Receives <see cref="RecordBytes"/>.</param>
    public void Write(PageTable table, int index, Span<byte> record)
    {
        if (index < table.Rings.Length)
        {
            inside.Observations.CopyOut(table, index, record);
        }
        else
        {
            WriteRank(table, index - table.Rings.Length, record);
        }
    }

    // Units of several forms may lie side by side, but for each place no more than its dearest form has at one that leads.
    private int MostRankBytes => shape.HeadCount * Enumerable.Range(0, inside.Rungs.Count).Max(
        rung => (inside.Arena.Classes[inside.Rungs[rung].SizeClass].StrideBytes + inside.Rungs[rung].Page.Shape.HeadCount - 1) / inside.Rungs[rung].Page.Shape.HeadCount);

    // A unit that stands in several places is written at the one that leads.
    private int PlaceBytes(PageTable table, int head, int rank) =>
        inside.Columns.Places.IsLead(table, head, rank) ? inside.Pages.UnitBytes(inside.Units.Entry(table.Unit(head, rank))) : 0;

    private void WriteRank(PageTable table, int rank, Span<byte> record)
    {
        for (int head = 0; head < shape.HeadCount; head++)
        {
            if (rank >= table.UnitCount(head))
            {
                continue;
            }
            UnitHandle unit = table.Unit(head, rank);
            UnitEntry entry = inside.Units.Entry(unit);
            UnitHead.Of(entry, inside.Units.StrideBytes(unit)).Write(record);
            int bytes = PlaceBytes(table, head, rank);
            Span<byte> copy = record.Slice(UnitHead.Bytes, bytes);
            if (bytes == 0)
            {
                record = record[UnitHead.Bytes..];
                continue;
            }
            if (entry.Flags.HasFlag(UnitFlags.Sealed))
            {
                new ReadOnlySpan<byte>(inside.Units.Bytes(unit), bytes).CopyTo(copy);
            }
            else
            {
                inside.Pages.CopySlots(unit, Math.Clamp(table.TokenCount - entry.Start, 0, KvShape.PageTokens), copy);
            }
            record = record[(UnitHead.Bytes + bytes)..];
        }
    }
}
