using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Rungs;

/// <summary>
/// Which rungs the units of a table are on, weighted by their age: attention looks at what is near, so what was squeezed long
/// ago disturbs less. The first page, the recent window and the open page, exact on every rung, are not counted.
/// </summary>
internal static class RungShares
{
    /// <summary>Weighs the units of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="decay">A column that is n columns old weighs n to the minus this.</param>
    /// <param name="shares">Receives the share of each rung of the cache, adding up to 1; all 0 where nothing is counted.</param>
    public static void Of(PageTable table, double decay, Span<double> shares)
    {
        shares.Clear();
        CacheInterior inside = table.Owner.Interior;
        int limit = Squeezer.LimitColumn(table.TokenCount);
        double all = 0;
        for (int column = Squeezer.SinkColumns; column < limit; column++)
        {
            double weight = Math.Pow(limit - column, -decay);
            all += weight;
            for (int head = 0; head < inside.Columns.HeadCount; head++)
            {
                shares[RungOf(inside, table, head, column)] += weight;
            }
        }
        for (int rung = 0; all > 0 && rung < shares.Length; rung++)
        {
            shares[rung] /= all * inside.Columns.HeadCount;
        }
    }

    private static int RungOf(CacheInterior inside, PageTable table, int head, int column)
    {
        bool evicted = column < table.EvictedColumns;
        // What eviction left of a region is all in one form; a head that lost its whole region has no form to tell.
        int index = evicted ? Squeezer.SinkColumns : table.IndexOf(head, column);
        if (evicted && table.IndexOf(head, table.EvictedColumns) <= Squeezer.SinkColumns)
        {
            return table.ReachedRung;
        }
        return Find(inside.Rungs, inside.Units.Entry(table.Unit(head, index)), evicted) ?? table.ReachedRung;
    }

    // A page of a rung that evicts is of the same form before anything was evicted from it.
    private static int? Find(RungFormats rungs, in UnitEntry entry, bool evicted)
    {
        int? other = null;
        for (int rung = 0; rung < rungs.Count; rung++)
        {
            if (rungs[rung].Page.Holds(entry))
            {
                if (rungs[rung].Evicts == evicted)
                {
                    return rung;
                }
                other ??= rung;
            }
        }
        return other;
    }
}
