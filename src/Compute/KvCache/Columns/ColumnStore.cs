using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>
/// Gives columns to page tables and takes them back: the list blocks, the units of all heads, and the bytes of both. When
/// bytes are short it drops unreferenced prefix columns, least recently used first.
/// </summary>
internal sealed unsafe class ColumnStore
{
    private readonly UnitTable _units;
    private readonly ExtentArena _arena;
    private readonly CacheBudget _budget;
    private readonly PrefixIndex _index;
    private readonly UnitHandle[] _column;
    private readonly int _listClass;

    public ColumnStore(UnitTable units, ExtentArena arena, CacheBudget budget, PrefixIndex index, PageFormat format)
    {
        _units = units;
        _arena = arena;
        _budget = budget;
        _index = index;
        Format = format;
        HeadCount = format.HeadCount;
        _column = new UnitHandle[HeadCount];
        PageClass = arena.AddClass(format.PageBytes);
        _listClass = arena.AddClass(PageLists.BlockBytes(HeadCount));
    }

    public PageFormat Format { get; }

    public int HeadCount { get; }

    public int PageClass { get; }

    private int PageStride => _arena.Classes[PageClass].StrideBytes;

    private int ListStride => _arena.Classes[_listClass].StrideBytes;

    /// <summary>Most bytes a table with this many columns holds.</summary>
    public long BytesFor(int columns)
    {
        if (columns == 0)
        {
            return 0;
        }
        int blocks = (columns + PageTable.BlockEntries - 1) / PageTable.BlockEntries;
        return ((long)columns * HeadCount * _arena.Classes[PageClass].ShareBytes)
            + ((long)blocks * _arena.Classes[_listClass].ShareBytes) + PageTable.HeapBytesFor(HeadCount, blocks);
    }

    /// <summary>Appends new columns until there are this many. All or nothing.</summary>
    /// <returns>False when the bytes cannot be had; nothing has changed but dropped prefix columns.</returns>
    public bool TryGrow(PageTable table, int columns)
    {
        int before = table.ColumnCount;
        if (columns > before && !CouldHold(columns - before))
        {
            return false;
        }
        while (table.ColumnCount < columns)
        {
            if (!TryAppendNew(table))
            {
                RemoveBeyond(table, before);
                return false;
            }
        }
        return true;
    }

    /// <summary>Appends a column of units, whose references the table takes over, also when it fails.</summary>
    public bool TryAppend(PageTable table, ReadOnlySpan<UnitHandle> units)
    {
        if (table.LongestList == table.BlockCount * PageTable.BlockEntries && !TryAddBlock(table))
        {
            ReleaseAll(units);
            return false;
        }
        for (int head = 0; head < HeadCount; head++)
        {
            table.Append(head, units[head], _units.StrideBytes(units[head]));
        }
        return true;
    }

    /// <summary>
    /// Takes columns off the end until this many are left. Where that cuts into columns that eviction has cut already, all
    /// of them go: what is left there was chosen for the queries that followed.
    /// </summary>
    public void RemoveBeyond(PageTable table, int columns)
    {
        long before = table.ListHeapBytes;
        if (columns < table.EvictedColumns)
        {
            columns = 0;
        }
        for (int head = 0; head < HeadCount; head++)
        {
            int kept = columns == 0 ? 0 : table.IndexOf(head, columns);
            while (table.UnitCount(head) > kept)
            {
                UnitHandle unit = table.Unit(head, table.UnitCount(head) - 1);
                table.RemoveLast(head, _units.StrideBytes(unit));
                _units.Release(unit);
            }
        }
        RemoveBlocks(table);
        table.Trim();
        _budget.AddLists(table.ListHeapBytes - before);
    }

    /// <summary>Marks the columns that a commit fills as sealed, and exact if they are.</summary>
    public void Seal(PageTable table, int tokens, bool exact)
    {
        for (int column = table.TokenCount / KvShape.PageTokens; (column + 1) * KvShape.PageTokens <= tokens; column++)
        {
            for (int head = 0; head < HeadCount; head++)
            {
                ref UnitEntry entry = ref _units.Entry(table.UnitOf(head, column));
                entry.FilledCount = KvShape.PageTokens;
                entry.Flags |= exact ? UnitFlags.Sealed | UnitFlags.Exact : UnitFlags.Sealed;
            }
        }
    }

    /// <summary>Whether every unit of a column is stored as open pages are.</summary>
    public bool IsOpenFormat(PageTable table, int column)
    {
        if (column < table.EvictedColumns)
        {
            return false;
        }
        for (int head = 0; head < HeadCount; head++)
        {
            if (!Format.Holds(_units.Entry(table.UnitOf(head, column))))
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
        for (int head = 0; head < HeadCount; head++)
        {
            ref UnitEntry entry = ref _units.Entry(table.UnitOf(head, column));
            entry.Flags &= UnitFlags.NonFinite;
            entry.FilledCount = 0;
        }
        return CutAll(table, column, slots);
    }

    /// <summary>Makes the units of a column in the open format this table's own, copying those that are shared.</summary>
    /// <returns>False, with nothing changed, when the bytes cannot be had.</returns>
    public bool TryOwn(PageTable table, int column)
    {
        for (int head = 0; head < HeadCount; head++)
        {
            if (_units.Entry(table.UnitOf(head, column)).References > 1)
            {
                return TryCopyShared(table, column);
            }
        }
        return true;
    }

    /// <summary>Closes fragmented extents, then drops unreferenced prefix columns, until what is held fits.</summary>
    public bool TryShrink(long budgetBytes)
    {
        while (_budget.HeldBytes(_arena.ExtentsInUse) > budgetBytes)
        {
            if (!_units.TryCompact() && !_index.TryDropOldest())
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Drops unreferenced prefix columns until this many bytes came free or none is left.</summary>
    /// <returns>Bytes freed.</returns>
    public long DropUnreferenced(long bytes)
    {
        long before = _arena.LiveBytes;
        while (before - _arena.LiveBytes < bytes && _index.TryDropOldest())
        {
        }
        return before - _arena.LiveBytes;
    }

    // False when not even dropping every unreferenced prefix column makes room, so that none is dropped to find out.
    private bool CouldHold(int newColumns)
    {
        long wanted = (long)newColumns * HeadCount * PageStride;
        long needed = _arena.LiveBytes - _units.UnreferencedPrefixBytes;
        return _budget.HeldBytes(0) + needed + wanted <= _budget.BudgetBytes - _budget.ReserveBytes;
    }

    private bool TryAppendNew(PageTable table)
    {
        for (int head = 0; head < HeadCount; head++)
        {
            if (!TryNewPage(out _column[head]))
            {
                ReleaseAll(_column.AsSpan(0, head));
                return false;
            }
            _units.Entry(_column[head]).Start = table.ColumnCount * KvShape.PageTokens;
        }
        return TryAppend(table, _column);
    }

    // Heads that were cut before a lower one is met are cut again, so that all hold the same slots.
    private int CutAll(PageTable table, int column, int slots)
    {
        int agreed = 0;
        for (int head = 0; agreed < HeadCount && slots > 0; head = (head + 1) % HeadCount)
        {
            var page = new Span<byte>(_units.Bytes(table.UnitOf(head, column)), Format.PageBytes);
            int kept = Format.Truncate(page, slots);
            agreed = kept == slots ? agreed + 1 : 1;
            slots = kept;
        }
        return slots;
    }

    private bool TryCopyShared(PageTable table, int column)
    {
        for (int head = 0; head < HeadCount; head++)
        {
            if (!TryNewPage(out _column[head]))
            {
                ReleaseAll(_column.AsSpan(0, head));
                return false;
            }
        }
        for (int head = 0; head < HeadCount; head++)
        {
            UnitHandle shared = table.UnitOf(head, column);
            ref UnitEntry from = ref _units.Entry(shared);
            ref UnitEntry to = ref _units.Entry(_column[head]);
            to.Start = from.Start;
            to.Flags = from.Flags & UnitFlags.NonFinite;
            Buffer.MemoryCopy(_units.Bytes(shared), _units.Bytes(_column[head]), PageStride, Format.PageBytes);
            table.Replace(head, table.IndexOf(head, column), _column[head]);
            _units.Release(shared);
        }
        return true;
    }

    private void RemoveBlocks(PageTable table)
    {
        table.Recount();
        while (table.BlockCount * PageTable.BlockEntries >= table.LongestList + PageTable.BlockEntries)
        {
            _units.Release(table.RemoveLastBlock(ListStride));
        }
    }

    private bool TryNewPage(out UnitHandle unit)
    {
        if (!TryAllocate(PageClass, out unit))
        {
            return false;
        }
        ref UnitEntry entry = ref _units.Entry(unit);
        entry.Kind = UnitKind.HeadPage;
        entry.KeyCodec = (byte)Format.KeyCodec.Id;
        entry.ValueCodec = (byte)Format.ValueCodec.Id;
        return true;
    }

    private bool TryAddBlock(PageTable table)
    {
        long growth = table.GrowthBytes(HeadCount);
        while (!_budget.CanAddLists(growth, _arena.ExtentsInUse, fromReserve: false))
        {
            if (!_units.TryCompact() && !_index.TryDropOldest())
            {
                return false;
            }
        }
        _budget.AddLists(growth);
        if (!TryAllocate(_listClass, out UnitHandle block))
        {
            _budget.AddLists(-growth);
            return false;
        }
        ref UnitEntry entry = ref _units.Entry(block);
        entry.Kind = UnitKind.PageList;
        entry.KeyCodec = entry.ValueCodec = (byte)CodecId.None;
        table.GrowDirectory(HeadCount);
        table.AddBlock(block, ListStride);
        return true;
    }

    private bool TryAllocate(int sizeClass, out UnitHandle unit)
    {
        while (!_units.TryAllocate(sizeClass, fromReserve: false, out unit))
        {
            if (!_index.TryDropOldest())
            {
                return false;
            }
        }
        return true;
    }

    private void ReleaseAll(ReadOnlySpan<UnitHandle> units)
    {
        foreach (UnitHandle unit in units)
        {
            _units.Release(unit);
        }
    }
}
