using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache;

/// <summary>
/// Where the KV slots of one sequence are: per (layer, KV head) an ordered list of units. Written only by the engine
/// thread, at step boundaries; read by the attention workers during a step. Made and released by <see cref="PagedKvCache"/>.
/// </summary>
/// <remarks>
/// The lists lie in blocks of 16 entries per list, taken from the arena, so their bytes are counted like all others. Lists
/// may differ in length; a block exists as long as its longest list needs it.
/// </remarks>
public sealed class PageTable
{
    /// <summary>Entries of one list in one block.</summary>
    internal const int BlockEntries = 16;

    private readonly PageLists _lists;
    private UnitHandle[] _directory = [];
    private SweepState _sweep;
    private EvictionState _eviction;
    private int[] _lengths = [];
    private int[] _unitsBefore = [];
    private long _paidHeapBytes;

    internal PageTable(PagedKvCache owner, PageLists lists, ushort account)
    {
        Owner = owner;
        _lists = lists;
        Account = account;
    }

    /// <summary>Tokens whose slots are reserved; the runner may write positions below it.</summary>
    public int ReservedTokens { get; internal set; }

    /// <summary>Tokens whose K and V are written; set by <see cref="PagedKvCache.Commit"/> after a step.</summary>
    public int TokenCount { get; internal set; }

    /// <summary>Tokens before the first inexact column; equals <see cref="TokenCount"/> while everything is exact.</summary>
    public int ExactTokens { get; internal set; }

    /// <summary>Head pages, or as much in larger units, that were stored anew at a deeper rung since the table was made.</summary>
    public long TranscodedUnits { get; internal set; }

    /// <summary>Units that were kept in a finer form than its rung's, because there they would have lost too much.</summary>
    public long GuardedUnits { get; internal set; }

    /// <summary>Physical bytes of the units it refers to, shared ones included, its own lists included.</summary>
    public long Bytes => UnitBytes + ListHeapBytes + RingHeapBytes;

    /// <summary>The first layer with a key or value that is not a finite number in its unit's form; null if all are finite.</summary>
    public int? FirstNonFiniteLayer()
    {
        for (int head = 0; head < _lengths.Length; head++)
        {
            for (int index = 0; index < _lengths[head]; index++)
            {
                if (_lists.IsNonFinite(Unit(head, index)))
                {
                    return head / Owner.Shape.KvHeadCount;
                }
            }
        }
        return null;
    }

    internal PagedKvCache Owner { get; }

    /// <summary>Who pays for what it refers to.</summary>
    internal ushort Account { get; }

    /// <summary>Bytes of units and list blocks, each with its stride.</summary>
    internal long UnitBytes { get; private set; }

    /// <summary>Bytes of the object, its directory and its lengths; 0 while the table holds nothing.</summary>
    internal long ListHeapBytes => _lengths.Length == 0 ? 0 : TableHeap.Bytes(_lengths.Length, _directory.Length);

    internal int BlockCount { get; private set; }

    internal bool IsReleased { get; set; }

    /// <summary>Index of the rung its units are moved to; 0 is lossless.</summary>
    internal int Rung { get; set; }

    /// <summary>The rung whose bytes it is promised, so that units may stay in a form as large; null: that of <see cref="Rung"/>.</summary>
    internal int? CommittedRung { get; set; }

    /// <summary>Deepest rung any of its units was moved to, or was computed over.</summary>
    internal int ReachedRung { get; set; }

    /// <summary>True: it keeps its last queries on a rung that does not evict too, because it may come to one that does.</summary>
    internal bool KeepsQueries { get; set; }

    /// <summary>How far its units are at <see cref="Rung"/>.</summary>
    internal ref SweepState Sweep => ref _sweep;

    /// <summary>How far eviction is.</summary>
    internal ref EvictionState Eviction => ref _eviction;

    /// <summary>Rings of the last queries, one per layer; empty unless its rung evicts.</summary>
    internal UnitHandle[] Rings { get; private set; } = [];

    /// <summary>Bytes of the list of rings.</summary>
    internal long RingHeapBytes { get; private set; }

    /// <summary>Index in the cache's list of live tables.</summary>
    internal int Registration { get; set; }

    /// <summary>How far this table was offered to the prefix cache.</summary>
    internal PrefixCursor Published { get; set; }

    /// <summary>Columns of 64 positions it covers, those that eviction has cut included.</summary>
    internal int ColumnCount { get; private set; }

    /// <summary>
    /// Columns, from the first, whose slots eviction has cut: each head holds them in as many units as it needs, with gaps
    /// between positions. 0 while nothing was evicted.
    /// </summary>
    internal int EvictedColumns { get; private set; }

    /// <summary>Units of the longest list.</summary>
    internal int LongestList { get; private set; }

    internal void GrowDirectory(int headCount)
    {
        if (_lengths.Length == 0)
        {
            _lengths = new int[headCount];
            _directory = new UnitHandle[TableHeap.FirstDirectoryLength];
        }
        if (BlockCount == _directory.Length)
        {
            Array.Resize(ref _directory, _directory.Length * 2);
        }
        PayHeap();
    }

    internal void AddBlock(UnitHandle block, int strideBytes)
    {
        _lists.Own(block, Account);
        _directory[BlockCount++] = block;
        UnitBytes += strideBytes;
    }

    internal UnitHandle Block(int index) => _directory[index];

    internal UnitHandle RemoveLastBlock(int strideBytes)
    {
        UnitHandle block = _directory[--BlockCount];
        _directory[BlockCount] = UnitHandle.None;
        UnitBytes -= strideBytes;
        return block;
    }

    /// <summary>Takes over rings, or gives them up (none).</summary>
    /// <param name="rings">One per layer, or none.</param>
    /// <param name="heapBytes">Bytes of the list.</param>
    /// <param name="moreBytes">Strides of the new rings less those of the old.</param>
    internal void SetRings(UnitHandle[] rings, long heapBytes, long moreBytes)
    {
        (Rings, RingHeapBytes) = (rings, heapBytes);
        UnitBytes += moreBytes;
        PayHeap();
    }

    /// <summary>Units of one list.</summary>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    internal int UnitCount(int head) => _lengths.Length == 0 ? 0 : _lengths[head];

    /// <summary>The unit of a head that holds a column's slots; the column lies behind what eviction has cut.</summary>
    internal UnitHandle UnitOf(int head, int column) => Unit(head, IndexOf(head, column));

    /// <summary>Index in a head's list of a column behind what eviction has cut.</summary>
    internal int IndexOf(int head, int column) =>
        EvictedColumns == 0 ? column : column - EvictedColumns + _unitsBefore[head];

    internal UnitHandle Unit(int head, int index) =>
        _lists.Read(_directory[index / BlockEntries], head, index % BlockEntries);

    /// <summary>The 16 entries of one list in one block; valid until the next allocation.</summary>
    internal unsafe UnitHandle* Entries(int head, int block) => _lists.Entries(_directory[block], head);

    /// <summary>Appends to one list, whose block exists; the stride is 0 for a place that does not lead its unit.</summary>
    internal void Append(int head, UnitHandle unit, int strideBytes)
    {
        int index = _lengths[head]++;
        _lists.Own(unit, Account);
        _lists.Store(_directory[index / BlockEntries], head, index % BlockEntries, unit);
        LongestList = Math.Max(LongestList, index + 1);
        ColumnCount = Math.Max(ColumnCount, index + 1 + EvictedColumns - (EvictedColumns == 0 ? 0 : _unitsBefore[head]));
        UnitBytes += strideBytes;
    }

    /// <summary>Replaces one entry.</summary>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the head's list.</param>
    /// <param name="unit">The unit that takes the place.</param>
    /// <param name="moreBytes">Stride of the new unit less that of the old one.</param>
    internal void Replace(int head, int index, UnitHandle unit, int moreBytes = 0)
    {
        _lists.Own(unit, Account);
        _lists.Store(_directory[index / BlockEntries], head, index % BlockEntries, unit);
        UnitBytes += moreBytes;
    }

    /// <summary>Declares the columns below a count cut by eviction; each head still holds one unit per newly covered column.</summary>
    internal void MarkEvicted(int columns)
    {
        if (columns <= EvictedColumns)
        {
            return;
        }
        if (EvictedColumns == 0)
        {
            _unitsBefore = new int[_lengths.Length];
        }
        for (int head = 0; head < _unitsBefore.Length; head++)
        {
            _unitsBefore[head] += columns - EvictedColumns;
        }
        EvictedColumns = columns;
    }

    /// <summary>Takes neighbouring units out of the part of a list that eviction cuts; the caller releases them first.</summary>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">First unit.</param>
    /// <param name="count">Units.</param>
    /// <param name="bytes">Their strides.</param>
    internal void RemoveRange(int head, int index, int count, long bytes)
    {
        for (int from = index + count; from < _lengths[head]; from++)
        {
            Replace(head, from - count, Unit(head, from));
        }
        _lengths[head] -= count;
        _unitsBefore[head] -= count;
        UnitBytes -= bytes;
    }

    /// <summary>Takes the last unit off one list.</summary>
    internal void RemoveLast(int head, int strideBytes)
    {
        _lengths[head]--;
        UnitBytes -= strideBytes;
    }

    /// <summary>Recounts the columns and shrinks the directory after units and blocks were removed.</summary>
    internal void Trim()
    {
        if (BlockCount == 0)
        {
            (_lengths, _directory, _unitsBefore, EvictedColumns) = ([], [], [], 0);
        }
        Recount();
        int needed = TableHeap.DirectoryLength(BlockCount);
        if (needed < _directory.Length)
        {
            Array.Resize(ref _directory, needed);
        }
        PayHeap();
    }

    /// <summary>Takes over what another table says of the same units, which this one has just taken.</summary>
    internal void CopyState(PageTable other)
    {
        (TokenCount, ReservedTokens, ExactTokens) = (other.TokenCount, other.TokenCount, other.ExactTokens);
        (Rung, CommittedRung, ReachedRung, _sweep) = (other.Rung, other.CommittedRung, other.ReachedRung, new SweepState { Done = other._sweep.Done });
        _eviction = new EvictionState { Done = other._eviction.Done, Reach = other._eviction.Reach };
        SetEvicted(other.EvictedColumns, [.. other._unitsBefore]);
    }

    /// <summary>Says which columns of the units it has just taken eviction has cut, and how many units of each head hold them.</summary>
    internal void SetEvicted(int columns, int[] unitsBefore)
    {
        (EvictedColumns, _unitsBefore) = (columns, unitsBefore);
        Recount();
    }

    /// <summary>Recounts columns and the longest list after units were removed.</summary>
    internal void Recount()
    {
        ColumnCount = LongestList = 0;
        for (int head = 0; head < _lengths.Length; head++)
        {
            LongestList = Math.Max(LongestList, _lengths[head]);
            ColumnCount = Math.Max(ColumnCount, _lengths[head] + (EvictedColumns == 0 ? 0 : EvictedColumns - _unitsBefore[head]));
        }
    }

    private void PayHeap()
    {
        long bytes = ListHeapBytes + RingHeapBytes;
        _lists.PayHeap(Account, bytes - _paidHeapBytes);
        _paidHeapBytes = bytes;
    }
}
