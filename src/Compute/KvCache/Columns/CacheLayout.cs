using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Sizes of everything that is made once for a budget.</summary>
internal readonly record struct CacheLayout(int ExtentCount, int UnitCapacity, int ColumnCapacity, long FixedBytes)
{
    private const int MaximumColumns = 1 << 20;

    public static CacheLayout For(PageFormat format, int smallestUnitBytes, long budgetBytes)
    {
        int extents = (int)Math.Clamp(budgetBytes / ExtentArena.ExtentBytes, 1, int.MaxValue);
        int pages = checked(extents * SizeClass.For(format.WholeBytes).SlotsPerExtent);
        // Every list block belongs to a table with at least a column of pages of its own or shared ones; twice the pages is
        // enough for both, and the smallest pages of a deep rung are many more.
        int units = checked(pages + Math.Max(pages, extents * SizeClass.For(smallestUnitBytes).SlotsPerExtent));
        int columns = Math.Clamp(pages / format.HeadCount, 1, MaximumColumns);
        long fixedBytes = ExtentArena.OverheadBytes(extents) + UnitTable.OverheadBytes(units, extents)
            + PrefixIndex.OverheadBytes(columns, format.HeadCount);
        return new CacheLayout(extents, units, columns, fixedBytes);
    }
}
