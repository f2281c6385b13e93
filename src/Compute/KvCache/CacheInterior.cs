using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
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
        var format = new PageFormat(shape, parts.Open, parts.Open);
        Rungs = new RungFormats(format, Codecs, shape, parts.Rungs);
        var layout = CacheLayout.For(format, Rungs.SmallestUnitBytes, budgetBytes);
        Budget = new CacheBudget(budgetBytes, options.TranscodeReserveShare, Rungs.SizeCount);
        Budget.AddFixed(layout.FixedBytes + Codecs.ScratchBytes(format.Shape) + PageTranscoder.ScratchBytes(shape));
        Arena = new ExtentArena(layout.ExtentCount);
        Units = new UnitTable(Arena, Budget, layout.UnitCapacity);
        Index = new PrefixIndex(Units, shape.HeadCount, layout.ColumnCapacity, parts.Hash);
        Columns = new ColumnStore(Units, Arena, Budget, Index, format);
        Rungs.AddClasses(Arena);
        Cuts = new ColumnCuts(Columns, Units);
        Prefix = new PrefixCache(Index, Units, Columns, Cuts);
        Lists = new PageLists(Units, shape.HeadCount);
        Pages = new PageAccess(shape, format, Codecs, Units, Arena);
        Squeezer = new Squeezer(Units, new PageTranscoder(Columns, Units, Pages, Codecs, shape), Rungs, shape.HeadCount);
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

    /// <exception cref="ArgumentException">With so many bytes less, not even one column could be committed.</exception>
    public void RequireRoom(long lessBytes) => Budget.RequireRoom(lessBytes, Columns.BytesFor(1, Rungs[0], pendingColumns: 0));

    public void Dispose()
    {
        Units.Dispose();
        Arena.Dispose();
    }
}
