using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>What columns of page tables take, with their lists and the rounding to extents.</summary>
/// <param name="arena">Where units lie.</param>
/// <param name="headCount">Lists of a table.</param>
/// <param name="pageClass">Size class of open pages.</param>
/// <param name="listClass">Size class of list blocks.</param>
internal sealed class ColumnSizes(ExtentArena arena, int headCount, int pageClass, int listClass)
{
    /// <summary>Bytes of one block of a table's lists, rounding to extents included.</summary>
    public int ListBlockBytes => arena.Classes[listClass].ShareBytes;

    /// <summary>Most bytes a table with this many columns holds on a rung, while so many columns may wait to be moved there.</summary>
    public long BytesFor(int columns, RungFormat rung, int pendingColumns)
    {
        int open = Math.Min(columns, ColumnStore.ExactColumns + rung.UnalignedColumns + pendingColumns);
        return Bytes(columns, open, columns - open, rung);
    }

    /// <summary>Bytes a table with this many columns settles at on a rung, when everything was squeezed and evicted.</summary>
    /// <param name="columns">Columns.</param>
    /// <param name="exactColumns">Those of them that stay in the open form.</param>
    /// <param name="rung">The rung.</param>
    public long SettledBytes(int columns, int exactColumns, RungFormat rung)
    {
        int open = Math.Min(columns, exactColumns);
        int kept = (columns - open + rung.Rung.KeepOneIn - 1) / rung.Rung.KeepOneIn;
        return Bytes(open + kept, open, kept, rung);
    }

    /// <summary>Fewest bytes that one more column of a long sequence takes on any rung, its share of the lists included.</summary>
    public long LeastColumnBytes(RungFormats rungs)
    {
        long least = (long)arena.Classes[pageClass].ShareBytes * headCount;
        for (int rung = 1; rung < rungs.Count; rung++)
        {
            least = Math.Min(least, MovedBytes(columns: 1, rungs[rung]));
        }
        return least + (ListBlockBytes / PageTable.BlockEntries);
    }

    private long Bytes(int units, int open, int moved, RungFormat rung)
    {
        if (units == 0)
        {
            return 0;
        }
        int blocks = (units + PageTable.BlockEntries - 1) / PageTable.BlockEntries;
        long openShare = arena.Classes[pageClass].ShareBytes;
        return (open * openShare * headCount) + MovedBytes(moved, rung) + ((long)blocks * ListBlockBytes) + TableHeap.BytesFor(headCount, blocks);
    }

    // Whole units: columns that do not fill a segment are not counted among those that were moved.
    private long MovedBytes(int columns, RungFormat rung)
    {
        UnitShape unit = rung.Page.Shape;
        long share = arena.Classes[rung.SizeClass].ShareBytes;
        return ((columns * (headCount / unit.HeadCount) * share) + unit.PageCount - 1) / unit.PageCount;
    }
}
