using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Prefix;

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

    private const int ObjectBytes = 192;
    private const int FirstDirectoryLength = 4;

    private readonly PageLists _lists;
    private UnitHandle[] _directory = [];
    private int[] _lengths = [];

    internal PageTable(PagedKvCache owner, PageLists lists)
    {
        Owner = owner;
        _lists = lists;
    }

    /// <summary>Tokens whose slots are reserved; the runner may write positions below it.</summary>
    public int ReservedTokens { get; internal set; }

    /// <summary>Tokens whose K and V are written; set by <see cref="PagedKvCache.Commit"/> after a step.</summary>
    public int TokenCount { get; internal set; }

    /// <summary>Tokens before the first inexact column; equals <see cref="TokenCount"/> while everything is exact.</summary>
    public int ExactTokens { get; internal set; }

    /// <summary>Physical bytes of the units it refers to, shared ones included, its own lists included.</summary>
    public long Bytes => UnitBytes + ListHeapBytes;

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

    /// <summary>Bytes of units and list blocks, each with its stride.</summary>
    internal long UnitBytes { get; private set; }

    /// <summary>Bytes of the object, its directory and its lengths; 0 while the table holds nothing.</summary>
    internal long ListHeapBytes => _lengths.Length == 0 ? 0 : HeapBytes(_lengths.Length, _directory.Length);

    internal int BlockCount { get; private set; }

    internal bool IsReleased { get; set; }

    /// <summary>Index in the cache's list of live tables.</summary>
    internal int Registration { get; set; }

    /// <summary>How far this table was offered to the prefix cache.</summary>
    internal PrefixCursor Published { get; set; }

    /// <summary>Columns of the longest list.</summary>
    internal int ColumnCount { get; private set; }

    /// <summary>Most heap bytes of a table with this many blocks; monotonic.</summary>
    internal static long HeapBytesFor(int headCount, int blocks) => HeapBytes(headCount, DirectoryLength(blocks));

    /// <summary>Heap bytes that <see cref="GrowDirectory"/> would add for one more block.</summary>
    internal long GrowthBytes(int headCount) => HeapBytesFor(headCount, BlockCount + 1) - ListHeapBytes;

    internal void GrowDirectory(int headCount)
    {
        if (_lengths.Length == 0)
        {
            _lengths = new int[headCount];
            _directory = new UnitHandle[FirstDirectoryLength];
        }
        if (BlockCount == _directory.Length)
        {
            Array.Resize(ref _directory, _directory.Length * 2);
        }
    }

    internal void AddBlock(UnitHandle block, int strideBytes)
    {
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

    /// <summary>Units of one list.</summary>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    internal int UnitCount(int head) => _lengths.Length == 0 ? 0 : _lengths[head];

    internal UnitHandle Unit(int head, int index) =>
        _lists.Read(_directory[index / BlockEntries], head, index % BlockEntries);

    /// <summary>The 16 entries of one list in one block; valid until the next allocation.</summary>
    internal unsafe UnitHandle* Entries(int head, int block) => _lists.Entries(_directory[block], head);

    /// <summary>Appends to one list; its block exists.</summary>
    internal void Append(int head, UnitHandle unit, int strideBytes)
    {
        int index = _lengths[head]++;
        _lists.Store(_directory[index / BlockEntries], head, index % BlockEntries, unit);
        ColumnCount = Math.Max(ColumnCount, index + 1);
        UnitBytes += strideBytes;
    }

    /// <summary>Replaces one entry by a unit of the same size.</summary>
    internal void Replace(int head, int index, UnitHandle unit) =>
        _lists.Store(_directory[index / BlockEntries], head, index % BlockEntries, unit);

    /// <summary>Takes the last unit off one list.</summary>
    internal UnitHandle RemoveLast(int head, int strideBytes)
    {
        int index = --_lengths[head];
        UnitBytes -= strideBytes;
        return Unit(head, index);
    }

    /// <summary>Recounts the columns and shrinks the directory after units and blocks were removed.</summary>
    internal void Trim()
    {
        ColumnCount = 0;
        foreach (int length in _lengths)
        {
            ColumnCount = Math.Max(ColumnCount, length);
        }
        if (BlockCount == 0)
        {
            (_lengths, _directory) = ([], []);
            return;
        }
        int needed = DirectoryLength(BlockCount);
        if (needed < _directory.Length)
        {
            Array.Resize(ref _directory, needed);
        }
    }

    private static int DirectoryLength(int blocks)
    {
        int length = FirstDirectoryLength;
        while (length < blocks)
        {
            length *= 2;
        }
        return length;
    }

    private static long HeapBytes(int headCount, int directoryLength) =>
        ObjectBytes + ((long)headCount * sizeof(int)) + ((long)directoryLength * sizeof(ulong));
}
