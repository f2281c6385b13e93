using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>
/// Moves tables to their rungs, one unit a step, or as many as share a unit before or after. The first page (attention sinks), the recent window and the open page stay
/// as they are on every rung; a column is moved once it has left the window, also while its prompt is still being
/// prefilled. Stopping between two steps is always safe. Engine thread only, between steps of the engine.
/// </summary>
internal sealed class Squeezer(UnitTable units, PageTranscoder transcoder, GroupTranscoder groups, RungFormats rungs, int headCount)
{
    /// <summary>Tokens of the recent window.</summary>
    public const int RecentTokens = 128;

    /// <summary>Columns at the start that keep their form.</summary>
    public const int SinkColumns = 1;

    private const int UnitsPassedOver = 4096;

    /// <summary>False: the first page and the recent window are moved too (<see cref="CacheParts.SqueezesWindow"/>).</summary>
    public bool KeepsWindow { get; init; } = true;

    private int Sinks => KeepsWindow ? SinkColumns : 0;

    /// <summary>Columns below this may be moved.</summary>
    public static int LimitColumn(int tokens) => Math.Max(0, tokens - RecentTokens) / KvShape.PageTokens;

    /// <summary>Columns that a sequence of so many tokens keeps exact when everything that may be was moved.</summary>
    /// <param name="tokens">Tokens.</param>
    /// <param name="pageCount">Pages of a unit: whole units are moved.</param>
    public static int ExactColumns(int tokens, int pageCount)
    {
        int first = (SinkColumns + pageCount - 1) / pageCount * pageCount;
        return KvShape.PagesFor(tokens) - Math.Max(0, Whole(LimitColumn(tokens), pageCount) - first);
    }

    /// <summary>Gives a table a deeper rung; what is deeper already stays.</summary>
    public static void SetRung(PageTable table, int rung)
    {
        if (table.Rung != rung)
        {
            table.Rung = rung;
            table.Sweep = default;
            table.Eviction.RungChanges++;
        }
    }

    /// <summary>Says which rung's bytes a table is promised; kept finer forms are looked at anew if it is another.</summary>
    public static void Commit(PageTable table, int rung)
    {
        if (table.CommittedRung != rung)
        {
            table.CommittedRung = rung;
            table.Sweep = default;
            table.Eviction.RungChanges++;
        }
    }

    /// <summary>Columns that will have left the window, once the table holds so many tokens, and are not at their rung.</summary>
    public static int PendingColumns(PageTable table, int tokens) => table.Rung == 0
        ? 0
        : Math.Max(0, Whole(LimitColumn(tokens), table.Owner.Rungs[table.Rung].Page.Shape.PageCount) - Math.Max(table.Sweep.Done, SinkColumns));

    /// <summary>Whether columns have left the window that were not swept, or are being swept.</summary>
    public bool IsPending(PageTable table) => table.Sweep.Limit > 0 || Limit(table) > Math.Max(table.Sweep.Done, Sinks);

    /// <summary>Most work that one step of a table may be charged.</summary>
    public long DearestCharge(PageTable table)
    {
        UnitShape from = rungs[table.ReachedRung].Page.Shape;
        UnitShape to = rungs[table.Rung].Page.Shape;
        long places = (long)Math.Max(from.HeadCount, to.HeadCount) * Math.Max(from.PageCount, to.PageCount);
        return places * transcoder.DearestCharge(rungs[table.Rung]);
    }

    /// <summary>Moves the next unit of a table.</summary>
    public SqueezeStep Step(PageTable table)
    {
        if (table.Rung == 0 || !TryOpenSweep(table))
        {
            return new SqueezeStep(SqueezeOutcome.Done);
        }
        RungFormat to = rungs[table.Rung];
        ref SweepState sweep = ref table.Sweep;
        for (int passed = 0; passed < UnitsPassedOver && sweep.Head < headCount; passed++)
        {
            if (sweep.Index >= table.IndexOf(sweep.Head, sweep.Limit))
            {
                sweep.Index = First(table, ++sweep.Head);
                continue;
            }
            UnitHandle unit = table.Unit(sweep.Head, sweep.Index);
            if (to.Page.Shape.Kind != UnitKind.HeadPage || units.Entry(unit).Kind != UnitKind.HeadPage)
            {
                if (TryMoveGroup(table, to, out SqueezeStep step))
                {
                    return step;
                }
                sweep.Index++;
                continue;
            }
            if (!transcoder.IsPending(unit, to, Committed(table)))
            {
                sweep.Index++;
                continue;
            }
            return Move(table, to);
        }
        if (sweep.Head == headCount)
        {
            sweep = new SweepState { Done = sweep.Limit };
        }
        return new SqueezeStep(SqueezeOutcome.Worked);
    }

    /// <summary>Forgets how far a table was swept beyond a cut.</summary>
    public static void Cut(PageTable table) => table.Sweep = new SweepState
    {
        Done = Math.Min(table.Sweep.Done, Whole(LimitColumn(table.TokenCount), table.Owner.Rungs[table.Rung].Page.Shape.PageCount)),
    };

    // False: the place leads no group that is pending.
    private bool TryMoveGroup(PageTable table, RungFormat to, out SqueezeStep step)
    {
        ref SweepState sweep = ref table.Sweep;
        step = default;
        if (!groups.TryFind(table, sweep.Head, sweep.Index, to, new ColumnRange(Sinks, sweep.Limit), out MoveGroup group)
            || !groups.IsPending(table, group, to))
        {
            return false;
        }
        long charge = 0;
        for (int place = 0; place < group.PlaceCount; place++)
        {
            (int head, int column) = GroupTranscoder.Place(group, place);
            charge += transcoder.Charge(units.Entry(table.Unit(head, column)), to);
        }
        TranscodeResult result = groups.Move(table, group, to, out int moved);
        if (result == TranscodeResult.NoRoom)
        {
            step = new SqueezeStep(SqueezeOutcome.NoRoom);
            return true;
        }
        sweep.Index++;
        table.ReachedRung = moved > 0 ? Math.Max(table.ReachedRung, table.Rung) : table.ReachedRung;
        table.TranscodedUnits += moved;
        step = new SqueezeStep(SqueezeOutcome.Worked, charge);
        return true;
    }

    private static int Whole(int columns, int pageCount) => columns - (columns % pageCount);

    private SqueezeStep Move(PageTable table, RungFormat to)
    {
        ref SweepState sweep = ref table.Sweep;
        UnitEntry entry = units.Entry(table.Unit(sweep.Head, sweep.Index));
        TranscodeResult result = transcoder.Move(table, sweep.Head, sweep.Index, to, Committed(table));
        if (result == TranscodeResult.NoRoom)
        {
            return new SqueezeStep(SqueezeOutcome.NoRoom);
        }
        sweep.Index++;
        if (result is TranscodeResult.Moved or TranscodeResult.MovedToPromised)
        {
            table.ReachedRung = Math.Max(table.ReachedRung, table.Rung);
            table.TranscodedUnits++;
        }
        table.GuardedUnits += result is TranscodeResult.Guarded or TranscodeResult.MovedToPromised ? 1 : 0;
        return new SqueezeStep(SqueezeOutcome.Worked, transcoder.Charge(entry, to));
    }

    // A commitment deeper than the rung says nothing: the rung's bytes are the most that is asked for then.
    private RungFormat Committed(PageTable table) => rungs[Math.Min(table.CommittedRung ?? table.Rung, table.Rung)];

    private int Limit(PageTable table) => Whole(
        KeepsWindow ? LimitColumn(table.TokenCount) : table.TokenCount / KvShape.PageTokens, rungs[table.Rung].Page.Shape.PageCount);

    private bool TryOpenSweep(PageTable table)
    {
        if (table.Sweep.Limit > 0)
        {
            return true;
        }
        int limit = Limit(table);
        if (limit <= Math.Max(table.Sweep.Done, Sinks))
        {
            return false;
        }
        table.Sweep.Limit = limit;
        table.Sweep.Head = 0;
        table.Sweep.Index = First(table, 0);
        return true;
    }

    private int First(PageTable table, int head)
    {
        int done = table.Sweep.Done;
        return done <= Sinks || done < table.EvictedColumns || head == table.Owner.Shape.HeadCount ? Sinks : table.IndexOf(head, done);
    }
}
