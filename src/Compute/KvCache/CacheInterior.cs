using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Images;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache;

/// <summary>The parts of a cache, wired. <see cref="PagedKvCache"/> is their one door.</summary>
internal sealed class CacheInterior : IDisposable
{
    /// <exception cref="ArgumentException">The budget cannot hold one column and the reserve, or a rung cannot be stored.</exception>
    public CacheInterior(KvShape shape, KvCacheOptions options, CacheParts parts)
    {
        shape.Validate();
        long budgetBytes = options.RequireBudgetBytes();
        Codecs = parts.Codecs;
        var format = new PageFormat(shape, parts.Open, parts.Open, parts.KeepsDecisions);
        Rungs = new RungFormats(format, Codecs, shape, parts.Rungs);
        int ringBytes = Rungs.Observes ? Observations.UnitBytesFor(shape, parts.Eviction.QueryCount) : int.MaxValue;
        var layout = CacheLayout.For(format, Math.Min(Rungs.SmallestUnitBytes, ringBytes), budgetBytes);
        Budget = new CacheBudget(budgetBytes, options.TranscodeReserveShare, Rungs.SizeCount + (Rungs.Observes ? 1 : 0));
        Budget.AddFixed(layout.FixedBytes + Codecs.ScratchBytes(format.Shape) + PageTranscoder.ScratchBytes(shape) + GroupTranscoder.ScratchBytes(shape, Rungs.MostElements) + PageAccess.FixedBytes(shape)
            + (Rungs.Evicts ? Evictor.FixedBytes(shape, parts.Eviction) : 0));
        Arena = new ExtentArena(layout.ExtentCount);
        Units = new UnitTable(Arena, Budget, layout.UnitCapacity);
        Index = new PrefixIndex(Units, shape.HeadCount, layout.ColumnCapacity, parts.Hash);
        Columns = new ColumnStore(Units, Arena, Budget, Index, format);
        Rungs.AddClasses(Arena);
        Cuts = new ColumnCuts(Columns, Units);
        Prefix = new PrefixCache(Index, Units, Columns, Cuts);
        Lists = new PageLists(Units, shape.HeadCount);
        Pages = new PageAccess(shape, format, Codecs, Units, Arena);
        var groups = new GroupTranscoder(Columns, Units, Pages, Codecs, shape, Rungs.MostElements);
        Squeezer = new Squeezer(Units, new PageTranscoder(Columns, Units, Pages, Codecs, shape), groups, Rungs, shape.HeadCount)
        {
            KeepsWindow = !parts.SqueezesWindow,
        };
        Observations = new Observations(this, shape, parts.Eviction.QueryCount)
        {
            SizeClass = Rungs.Observes ? Arena.AddClass(ringBytes) : -1,
        };
        Evictor = new Evictor(this, shape, parts.Eviction);
        Images = new TableImages(this, shape);
        Restores = new TableRestores(this, shape);
        try
        {
            RequireRoom(0);
        }
        catch (ArgumentException)
        {
            Dispose();
            throw;
        }
    }

    public CodecSet Codecs { get; }

    public RungFormats Rungs { get; }

    public CacheBudget Budget { get; }

    public ExtentArena Arena { get; }

    public UnitTable Units { get; }

    public PrefixIndex Index { get; }

    public ColumnStore Columns { get; }

    public ColumnCuts Cuts { get; }

    public PrefixCache Prefix { get; }

    public PageLists Lists { get; }

    public PageAccess Pages { get; }

    public Squeezer Squeezer { get; }

    public Observations Observations { get; }

    public Evictor Evictor { get; }

    public TableImages Images { get; }

    public TableRestores Restores { get; }

    public long UsedBytes => Budget.HeldBytes(0) + Arena.LiveBytes;

    public KvCacheStatistics Statistics() => new(
        Budget.BudgetBytes, UsedBytes, Units.PrefixBytes, Units.UnreferencedPrefixBytes, Index.Count, Units.LiveCount,
        Arena.ExtentsInUse, Arena.FragmentedBytes, Prefix.HitTokens, Prefix.MissTokens, Index.DroppedCount);

    /// <summary>
    /// Bytes of units in the form of each rung, wherever their tables are on the way to; rungs of one form count at the first.
    /// </summary>
    /// <param name="bytes">Receives one number per rung.</param>
    public void CountByRung(Span<long> bytes)
    {
        for (int rung = 0; rung < Rungs.Count; rung++)
        {
            bytes[rung] = Rungs.IsFirstOfForm(rung) ? Units.FormBytes((byte)Rungs[rung].Page.KeyCodec.Id, (byte)Rungs[rung].Page.ValueCodec.Id) : 0;
        }
    }

    /// <summary>Most bytes of the rings that a table with this many tokens has on a rung.</summary>
    public long RingBytes(int tokens, int rung) => Rungs[rung].Observes && tokens > 0 ? Observations.CommitmentBytes : 0;

    /// <summary>Cuts a table, and what eviction knows of it.</summary>
    /// <returns>Tokens that remain.</returns>
    public int Truncate(PageTable table, int tokens)
    {
        int kept = Cuts.Truncate(table, tokens);
        Evictor.Cut(table);
        return kept;
    }

    /// <summary>
    /// Gives an empty table what another table of the same tokens need not compute anew: its exact columns, or those of the
    /// prefix cache if they are more.
    /// </summary>
    /// <param name="shadow">The empty table.</param>
    /// <param name="table">The other table.</param>
    /// <param name="scope">Whose prefix columns may be taken.</param>
    /// <param name="tokens">Tokens of the table.</param>
    /// <param name="deepestRung">Deepest rung a prefix column may have been computed over; 0: exact ones only.</param>
    public void Seed(PageTable shadow, PageTable table, PrefixScope scope, ReadOnlySpan<int> tokens, int deepestRung)
    {
        int exact = table.EvictedColumns > 0 ? 0 : Math.Min(table.ExactTokens, tokens.Length) / KvShape.PageTokens;
        if (Prefix.MatchLength(scope, tokens, deepestRung) > exact * KvShape.PageTokens)
        {
            Prefix.Adopt(shadow, scope, tokens, deepestRung, counts: false);
        }
        else
        {
            Cuts.ShareExact(table, shadow, exact);
        }
    }

    /// <summary>Whether a table may have units to move or slots to evict on the way to its rung.</summary>
    public bool HasWork(PageTable table) =>
        table.Rung > 0 && (Rungs[table.Rung].Evicts || Squeezer.IsPending(table));

    /// <summary>Most work that one <see cref="Step"/> of a table may be charged.</summary>
    public long DearestCharge(PageTable table) => Math.Max(Squeezer.DearestCharge(table), Evictor.DearestCharge(Rungs[table.Rung]));

    /// <summary>Does the next piece of work that brings a table to its rung: moves a unit, or else a slice of eviction.</summary>
    public SqueezeStep Step(PageTable table)
    {
        SqueezeStep step = Squeezer.Step(table);
        if (step.Outcome == SqueezeOutcome.Worked || !Rungs.Evicts)
        {
            return step;
        }
        // Also when units wait for bytes: eviction frees some.
        EvictionStep eviction = Evictor.Step(table);
        return eviction.Outcome switch
        {
            EvictionOutcome.Worked => new SqueezeStep(SqueezeOutcome.Worked, eviction.Charge),
            EvictionOutcome.Behind when step.Outcome == SqueezeOutcome.Done => new SqueezeStep(SqueezeOutcome.Behind),
            EvictionOutcome.NoRoom => new SqueezeStep(SqueezeOutcome.NoRoom, eviction.Charge),
            _ => step,
        };
    }

    /// <summary>Least budget it can be shrunk to now, in bytes: one column could be committed.</summary>
    public long LeastBudgetBytes => Budget.LeastBytes(Columns.Sizes.BytesFor(1, Rungs[0], pendingColumns: 0));

    /// <exception cref="ArgumentException">With so many bytes less, not even one column could be committed.</exception>
    public void RequireRoom(long lessBytes) => Budget.RequireRoom(lessBytes, Columns.Sizes.BytesFor(1, Rungs[0], pendingColumns: 0));

    public void Dispose()
    {
        Evictor.Dispose();
        Units.Dispose();
        Arena.Dispose();
    }
}
