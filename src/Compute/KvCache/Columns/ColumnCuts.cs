using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Cuts columns, makes shared ones a table's own, and shares a table's units with another.</summary>
internal sealed unsafe class ColumnCuts(ColumnStore columns, UnitTable units)
{
    private readonly UnitHandle[] _column = new UnitHandle[columns.HeadCount];

    /// <summary>Cuts a table to the tokens below a count.</summary>
    /// <returns>Tokens that remain.</returns>
    public int Truncate(PageTable table, int tokens)
    {
        int kept = Math.Min(tokens, table.TokenCount);
        int column = kept / KvShape.PageTokens;
        if (columns.Places.WholeColumns(table, column) is int whole && whole < column)
        {
            (kept, column) = (whole * KvShape.PageTokens, whole); // a segment is kept as a whole or not at all
        }
        if (column < table.EvictedColumns)
        {
            (kept, column) = (0, 0); // what eviction left was chosen for the queries that followed
        }
        bool inside = kept % KvShape.PageTokens != 0;
        columns.RemoveBeyond(table, inside ? column + 1 : column);
        if (inside)
        {
            int slots = Reopen(table, column, kept % KvShape.PageTokens);
            columns.RemoveBeyond(table, slots > 0 ? column + 1 : column);
            kept = (column * KvShape.PageTokens) + slots;
        }
        table.TokenCount = kept;
        table.ReservedTokens = kept;
        table.ExactTokens = Math.Min(table.ExactTokens, kept);
        table.ReachedRung = table.ExactTokens == kept ? 0 : table.ReachedRung;
        Squeezer.Cut(table);
        if (table.Published.Columns > kept / KvShape.PageTokens)
        {
            table.Published = default;
        }
        return kept;
    }

    /// <summary>Makes an empty table refer to all units of another; only an open page is copied.</summary>
    /// <returns>False when bytes are short; the table then holds part of them, for release.</returns>
    public bool TryShare(PageTable table, PageTable fork)
    {
        if (!TryAddBlocks(table, fork))
        {
            return false;
        }
        for (int head = 0; head < columns.HeadCount; head++)
        {
            for (int index = 0; index < table.UnitCount(head); index++)
            {
                UnitHandle unit = table.Unit(head, index);
                int bytes = columns.Places.Bytes(table, head, index);
                if (bytes > 0)
                {
                    units.Retain(unit);
                }
                fork.Append(head, unit, bytes);
            }
        }
        fork.CopyState(table);
        int last = table.TokenCount / KvShape.PageTokens;
        return table.TokenCount % KvShape.PageTokens == 0 || TryOwn(fork, last);
    }

    /// <summary>Makes an empty table refer to the first columns of another, which are exact and have no gaps; fewer if bytes for the lists are short.</summary>
    public void ShareExact(PageTable table, PageTable fork, int count)
    {
        int shared = 0;
        while (shared < count)
        {
            for (int head = 0; head < _column.Length; head++)
            {
                _column[head] = table.UnitOf(head, shared);
                units.Retain(_column[head]);
            }
            if (!columns.TryAppend(fork, _column))
            {
                break;
            }
            shared++;
        }
        fork.TokenCount = fork.ReservedTokens = fork.ExactTokens = shared * KvShape.PageTokens;
    }

    /// <summary>
    /// Makes an empty table hold what another holds in units of its own, each of the same size and content: the bytes of a
    /// second sequence that never shared anything, without the work of computing and encoding it. Not from the reserve.
    /// </summary>
    /// <returns>False when bytes are short; the table then holds part of them, for release.</returns>
    public bool TryCopy(PageTable table, PageTable copy)
    {
        if (!TryAddBlocks(table, copy))
        {
            return false;
        }
        for (int head = 0; head < columns.HeadCount; head++)
        {
            for (int index = 0; index < table.UnitCount(head); index++)
            {
                (int Head, int Index) lead = columns.Places.Lead(table, head, index);
                if (lead != (head, index))
                {
                    copy.Append(head, copy.Unit(lead.Head, lead.Index), strideBytes: 0);
                }
                else if (TryCopyUnit(table.Unit(head, index), out UnitHandle unit))
                {
                    copy.Append(head, unit, units.StrideBytes(unit));
                }
                else
                {
                    return false;
                }
            }
        }
        copy.CopyState(table);
        return true;
    }

    /// <summary>Whether every unit of a column is stored as open pages are.</summary>
    public bool IsOpenFormat(PageTable table, int column)
    {
        if (column < table.EvictedColumns)
        {
            return false;
        }
        for (int head = 0; head < columns.HeadCount; head++)
        {
            if (!columns.Format.Holds(units.Entry(table.UnitOf(head, column))))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Cuts a column inside and makes it the open page again, which belongs to this table alone.</summary>
    /// <returns>
    /// Slots that remain in every head: fewer than asked where a codec cannot cut there; 0, with nothing changed, when the
    /// column was transcoded, or is shared and the bytes of a copy cannot be had.
    /// </returns>
    public int Reopen(PageTable table, int column, int slots)
    {
        if (!IsOpenFormat(table, column) || !TryOwn(table, column))
        {
            return 0;
        }
        for (int head = 0; head < columns.HeadCount; head++)
        {
            ref UnitEntry entry = ref units.Entry(table.UnitOf(head, column));
            entry.Flags &= UnitFlags.NonFinite;
            entry.FilledCount = 0;
        }
        return CutAll(table, column, slots);
    }

    /// <summary>Makes the units of a column in the open format this table's own, copying those that are shared.</summary>
    /// <returns>False, with nothing changed, when the bytes cannot be had.</returns>
    public bool TryOwn(PageTable table, int column)
    {
        for (int head = 0; head < columns.HeadCount; head++)
        {
            if (units.Entry(table.UnitOf(head, column)).References > 1)
            {
                return TryCopyShared(table, column);
            }
        }
        return true;
    }

    private bool TryAddBlocks(PageTable table, PageTable fork)
    {
        for (int blocks = 0; blocks * PageTable.BlockEntries < table.LongestList; blocks++)
        {
            if (!columns.TryAddBlock(fork))
            {
                return false;
            }
        }
        return true;
    }

    private bool TryCopyUnit(UnitHandle unit, out UnitHandle copy)
    {
        if (!columns.TryAllocate(units.Entry(unit).SizeClass, out copy))
        {
            return false;
        }
        ref UnitEntry from = ref units.Entry(unit);
        ref UnitEntry to = ref units.Entry(copy);
        units.SetForm(ref to, from.Kind, from.KeyCodec, from.ValueCodec);
        (to.Start, to.FilledCount) = (from.Start, from.FilledCount);
        to.Flags = from.Flags & ~UnitFlags.InPrefix; // a prefix column holds the other unit, not this one
        // Both units take one slot of the same class, a stride long; the addresses are read after the allocation, which may move units.
        int stride = units.StrideBytes(unit);
        Buffer.MemoryCopy(units.Bytes(unit), units.Bytes(copy), stride, stride);
        return true;
    }

    // Heads that were cut before a lower one is met are cut again, so that all hold the same slots.
    private int CutAll(PageTable table, int column, int slots)
    {
        int agreed = 0;
        for (int head = 0; agreed < columns.HeadCount && slots > 0; head = (head + 1) % columns.HeadCount)
        {
            var page = new Span<byte>(units.Bytes(table.UnitOf(head, column)), columns.Format.PageBytes);
            int kept = columns.Format.Truncate(page, slots);
            agreed = kept == slots ? agreed + 1 : 1;
            slots = kept;
        }
        return slots;
    }

    private bool TryCopyShared(PageTable table, int column)
    {
        for (int head = 0; head < columns.HeadCount; head++)
        {
            if (!columns.TryNewPage(out _column[head]))
            {
                columns.ReleaseAll(_column.AsSpan(0, head));
                return false;
            }
        }
        for (int head = 0; head < columns.HeadCount; head++)
        {
            UnitHandle shared = table.UnitOf(head, column);
            ref UnitEntry from = ref units.Entry(shared);
            ref UnitEntry to = ref units.Entry(_column[head]);
            to.Start = from.Start;
            to.Flags = from.Flags & UnitFlags.NonFinite;
            Buffer.MemoryCopy(units.Bytes(shared), units.Bytes(_column[head]), columns.Format.WholeBytes, columns.Format.WholeBytes);
            table.Replace(head, table.IndexOf(head, column), _column[head]);
            units.Release(shared);
        }
        return true;
    }
}
