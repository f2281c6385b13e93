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
        double kept = KeptOneIn(table, inside.Columns.HeadCount);
        double all = 0;
        for (int column = Squeezer.SinkColumns; column < limit; column++)
        {
            double weight = Math.Pow(limit - column, -decay);
            all += weight;
            for (int head = 0; head < inside.Columns.HeadCount; head++)
            {
                shares[RungOf(inside, table, (head, column), kept)] += weight;
            }
        }
        for (int rung = 0; all > 0 && rung < shares.Length; rung++)
        {
            shares[rung] /= all * inside.Columns.HeadCount;
        }
    }

    // One unit is left of so many where slots were evicted.
    private static double KeptOneIn(PageTable table, int headCount)
    {
        long units = 0;
        for (int head = 0; table.EvictedColumns > 0 && head < headCount; head++)
        {
            units += table.IndexOf(head, table.EvictedColumns) - Squeezer.SinkColumns;
        }
        return (double)headCount * Math.Max(0, table.EvictedColumns - Squeezer.SinkColumns) / Math.Max(1, units);
    }

    private static int RungOf(CacheInterior inside, PageTable table, (int Head, int Column) at, double kept)
    {
        bool evicted = at.Column < table.EvictedColumns;
        if (evicted && table.IndexOf(at.Head, table.EvictedColumns) <= Squeezer.SinkColumns)
        {
            return table.ReachedRung; // nothing is left to tell by
        }
        // What eviction left of a region is all in one form.
        int index = evicted ? Squeezer.SinkColumns : table.IndexOf(at.Head, at.Column);
        return Find(inside.Rungs, inside.Units.Entry(table.Unit(at.Head, index)), evicted ? kept : 1) ?? table.ReachedRung;
    }

    // Of the rungs with the unit's form, the one that keeps about as much; a page of a rung that evicts is of the same form
    // before anything was evicted from it.
    private static int? Find(RungFormats rungs, in UnitEntry entry, double kept)
    {
        int? best = null;
        double least = double.PositiveInfinity;
        for (int rung = 0; rung < rungs.Count; rung++)
        {
            double distance = Math.Abs(Math.Log(rungs[rung].Rung.KeepOneIn / kept));
            if (rungs[rung].Page.Holds(entry) && distance < least)
            {
                (best, least) = (rung, distance);
            }
        }
        return best;
    }
}
