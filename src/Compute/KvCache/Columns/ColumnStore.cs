using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>
/// Gives columns to page tables and takes them back: the list blocks, the units of all heads, and the bytes of both. When
/// bytes are short it drops unreferenced prefix columns, least recently used first.
/// </summary>
internal sealed unsafe class ColumnStore
{
    /// <summary>Most columns that stay exact: sinks, two of window, one that the window cuts, and the open one.</summary>
    public const int ExactColumns = Squeezer.SinkColumns + (Squeezer.RecentTokens / KvShape.PageTokens) + 2;

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
        Places = new UnitPlaces(units, format.KvHeadCount);
        _column = new UnitHandle[HeadCount];
        PageClass = arena.AddClass(format.WholeBytes);
        _listClass = arena.AddClass(PageLists.BlockBytes(HeadCount));
        Sizes = new ColumnSizes(arena, HeadCount, PageClass, _listClass);
    }

    public PageFormat Format { get; }

    /// <summary>What entries of lists stand for.</summary>
    public UnitPlaces Places { get; }

    public int HeadCount { get; }

    public int PageClass { get; }

    /// <summary>What columns take.</summary>
    public ColumnSizes Sizes { get; }

    private int PageStride => _arena.Classes[PageClass].StrideBytes;

    private int ListStride => _arena.Classes[_listClass].StrideBytes;

    /// <summary>Appends new columns until there are this many. All or nothing.</summary>
    /// <returns>False when the bytes cannot be had; nothing has changed but dropped prefix columns.</returns>
    public bool TryGrow(PageTable table, int columns)
    {
        int before = table.ColumnCount;
        if (columns > before && !CouldHold((long)(columns - before) * HeadCount * PageStride))
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
    /// Takes columns off the end until this many are left; none of them cuts a segment. Where that cuts into columns that eviction has cut already, all
    /// of them go: what is left there was chosen for the queries that followed.
    /// </summary>
    public void RemoveBeyond(PageTable table, int columns)
    {
        if (columns < table.EvictedColumns)
        {
            columns = 0;
        }
        // Backwards, so that the place that leads a unit goes last.
        for (int head = HeadCount - 1; head >= 0; head--)
        {
            int kept = columns == 0 ? 0 : table.IndexOf(head, columns);
            for (int last = table.UnitCount(head) - 1; last >= kept; last--)
            {
                UnitHandle unit = table.Unit(head, last);
                int bytes = Places.Bytes(table, head, last);
                table.RemoveLast(head, bytes);
                if (bytes > 0)
                {
                    _units.Release(unit);
                }
            }
        }
        TrimLists(table);
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

    /// <summary>A unit for transcoding, which may use the reserve; drops unreferenced prefix columns if bytes are short.</summary>
    public bool TryAllocateFromReserve(int sizeClass, out UnitHandle unit)
    {
        while (!_units.TryAllocate(sizeClass, fromReserve: true, out unit))
        {
            if (!_index.TryDropOldest())
            {
                return false;
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

    /// <summary>False when not even dropping every unreferenced prefix column makes room, so that none is dropped to find out.</summary>
    public bool CouldHold(long wanted)
    {
        long needed = _arena.LiveBytes - _units.UnreferencedPrefixBytes;
        return _budget.HeldBytes(0) - _budget.BorrowedBytes + needed + wanted <= _budget.BudgetBytes - _budget.ReserveBytes;
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

    /// <summary>Frees list blocks that no list reaches any more, after units were taken out.</summary>
    public void TrimLists(PageTable table)
    {
        long before = table.ListHeapBytes;
        RemoveBlocks(table);
        table.Trim();
        _budget.AddLists(table.ListHeapBytes - before);
    }

    /// <summary>A unit's share of its extent.</summary>
    public int ShareBytes(int sizeClass) => _arena.Classes[sizeClass].ShareBytes;

    private void RemoveBlocks(PageTable table)
    {
        table.Recount();
        while (table.BlockCount * PageTable.BlockEntries >= table.LongestList + PageTable.BlockEntries)
        {
            _units.Release(table.RemoveLastBlock(ListStride));
        }
    }

    /// <summary>Makes an open page without a place in any table.</summary>
    public bool TryNewPage(out UnitHandle unit)
    {
        if (!TryAllocate(PageClass, out unit))
        {
            return false;
        }
        _units.SetForm(ref _units.Entry(unit), UnitKind.HeadPage, (byte)Format.KeyCodec.Id, (byte)Format.ValueCodec.Id);
        // Nothing is decided yet; the decisions follow the parts in the same unit.
        new Span<byte>(_units.Bytes(unit) + Format.PageBytes, Format.DecisionBytes).Clear();
        return true;
    }

    /// <summary>Adds a block to each list of a table.</summary>
    public bool TryAddBlock(PageTable table)
    {
        long growth = TableHeap.BytesFor(HeadCount, table.BlockCount + 1) - table.ListHeapBytes;
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

    /// <summary>A unit of a size, not from the reserve; drops unreferenced prefix columns if bytes are short.</summary>
    public bool TryAllocate(int sizeClass, out UnitHandle unit)
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

    /// <summary>Gives back units that belong to nobody.</summary>
    public void ReleaseAll(ReadOnlySpan<UnitHandle> units)
    {
        foreach (UnitHandle unit in units)
        {
            _units.Release(unit);
        }
    }
}
