using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// One eviction of one table: which columns it covers and how far it is. Its region is, in every head, the units between
/// the first page and the columns that had not reached the rung when the job began.
/// </summary>
internal sealed unsafe class EvictionJob : IDisposable
{
    private readonly int _rungChanges;
    private readonly int[] _unitCounts;
    private readonly int[] _taken;
    private long _cursor;

    /// <param name="table">Table to cut.</param>
    /// <param name="to">Its rung.</param>
    /// <param name="unitCounts">Scratch, one per head.</param>
    /// <param name="taken">Scratch, one per head.</param>
    public EvictionJob(PageTable table, RungFormat to, int[] unitCounts, int[] taken)
    {
        Table = table;
        To = to;
        Columns = table.Sweep.Done;
        _rungChanges = table.Eviction.RungChanges;
        (_unitCounts, _taken) = (unitCounts, taken);
        int longest = 0;
        for (int head = 0; head < unitCounts.Length; head++)
        {
            unitCounts[head] = table.IndexOf(head, Columns) - Squeezer.SinkColumns;
            longest = Math.Max(longest, unitCounts[head]);
            UnitCount += unitCounts[head];
        }
        MostSlots = (longest + Squeezer.SinkColumns + 1) * KvShape.PageTokens;
        taken.AsSpan().Clear();
    }

    public PageTable Table { get; }

    public RungFormat To { get; }

    /// <summary>What makes a slot worth keeping.</summary>
    public required EvictionMetric Metric { get; init; }

    /// <summary>True when that is told by the last queries.</summary>
    public bool Observes => Metric is EvictionMetric.SquaredAttention or EvictionMetric.Attention;

    /// <summary>Columns below this are covered.</summary>
    public int Columns { get; }

    /// <summary>Units of all heads that it covers, as they were when it began.</summary>
    public long UnitCount { get; }

    /// <summary>Most slots of one head that are scored: its region, the first page, and one page behind for the pool.</summary>
    public int MostSlots { get; }

    public EvictionPhase Phase { get; set; }

    /// <summary>True once the choice over all heads has begun.</summary>
    public bool IsChoosing { get; set; }

    /// <summary>Head that the next slice works on.</summary>
    public int Head { get; set; }

    /// <summary>Heads that take part: those whose region is all in the rung's form.</summary>
    public int RankedHeads { get; private set; }

    /// <summary>Units of their regions.</summary>
    public long RankedUnits { get; private set; }

    /// <summary>Blocks each head gives up.</summary>
    public int[] Taken => _taken;

    /// <summary>Given before the first slice.</summary>
    public EvictionMemory Memory { get; set; } = null!;

    /// <summary>False when the table was released, cut into the region, or given another rung or promise meanwhile, even if it has the old one again.</summary>
    public bool IsCurrent => !Table.IsReleased && Table.Eviction.RungChanges == _rungChanges && Table.Sweep.Done >= Columns;

    /// <summary>Evictable units of a head.</summary>
    public int Units(int head) => _unitCounts[head];

    /// <summary>Ranks of the present head's evictable slots.</summary>
    public Span<ushort> Ranks => new(Memory.Ranks + (_cursor * KvShape.PageTokens), _unitCounts[Head] * KvShape.PageTokens);

    /// <summary>The present head takes part.</summary>
    public void Include()
    {
        RankedHeads++;
        RankedUnits += _unitCounts[Head];
    }

    /// <summary>The present head does not take part.</summary>
    public void Exclude() => _unitCounts[Head] = 0;

    /// <summary>Goes to the next head.</summary>
    public void Pass() => _cursor += _unitCounts[Head++];

    /// <summary>Goes back to the first head.</summary>
    public void Rewind() => (Head, _cursor) = (0, 0);

    public void Dispose() => Memory?.Dispose();
}

/// <summary>What the next slice of a job does.</summary>
internal enum EvictionPhase
{
    /// <summary>Metric and ranks, head by head.</summary>
    Scan,

    /// <summary>The choice over all heads.</summary>
    Choose,

    /// <summary>Moves and freed units, head by head.</summary>
    Compact,
}
