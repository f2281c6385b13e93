using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Rungs;

/// <summary>
/// Which rungs the units of a table are on, weighted by their age: attention looks at what is near, so what was rounded long
/// ago disturbs less. What was evicted is missed at any age. The first page, the recent window and the open page, exact on every
/// rung, are not counted.
/// </summary>
internal static class RungShares
{
    // Another form that keeps as much is nearer than the same form that keeps twice as much.
    private const double OtherForm = 0.1;

    /// <summary>Weighs the units of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="decay">A column that is n columns old and was not evicted from weighs n to the minus this.</param>
    /// <param name="shares">
    /// Receives the share of each rung of the cache; all 0 where nothing is counted. They add up to 1 where no slot was evicted.
    /// </param>
    public static void Of(PageTable table, double decay, Span<double> shares)
    {
        shares.Clear();
        CacheInterior inside = table.Owner.Interior;
        int limit = Squeezer.LimitColumn(table.TokenCount);
        double kept = KeptOneIn(table, inside.Columns.HeadCount);
        int counted = limit - Squeezer.SinkColumns;
        double weights = Enumerable.Range(1, Math.Max(0, counted)).Sum(age => Math.Pow(age, -decay));
        for (int column = Squeezer.SinkColumns; column < limit; column++)
        {
            double share = column < table.EvictedColumns ? 1.0 / counted : Math.Pow(limit - column, -decay) / weights;
            for (int head = 0; head < inside.Columns.HeadCount; head++)
            {
                shares[RungOf(inside, table, (head, column), kept)] += share / inside.Columns.HeadCount;
            }
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
        return Find(inside.Rungs, inside.Units.Entry(table.Unit(at.Head, index)), evicted ? table.Eviction.Reach.KeptOneIn(at.Column) ?? kept : 1) ?? table.ReachedRung;
    }

    // The rung that keeps about as much, of those the one with the unit's form if there is one; a page of a rung that evicts is
    // of the same form before anything was evicted from it.
    private static int? Find(RungFormats rungs, in UnitEntry entry, double kept)
    {
        int? best = null;
        double least = double.PositiveInfinity;
        for (int rung = 0; rung < rungs.Count; rung++)
        {
            bool sameForm = rungs[rung].Page.Holds(entry);
            double distance = Math.Abs(Math.Log(rungs[rung].Rung.KeepOneIn / kept)) + (sameForm ? 0 : OtherForm);
            if ((sameForm || rungs[rung].Evicts) && distance < least)
            {
                (best, least) = (rung, distance);
            }
        }
        return best;
    }
}
