using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Prefix;

/// <summary>
/// Full columns by (scope, parent, token ids). Bounded and allocated once. The hash only finds the bucket: a column matches
/// when its own tokens are equal and its parent is the node that matched before, so a collision can never show one
/// prefix the cache of another. Columns without a page table form a list, least recently used first, children before
/// parents.
/// </summary>
internal sealed class PrefixIndex
{
    private const int None = -1;
    private readonly UnitTable _units;
    private readonly Func<ColumnHash, ReadOnlySpan<int>, ColumnHash> _hash;
    private readonly int _headCount;
    private readonly PrefixColumn[] _columns;
    private readonly int[] _tokens;
    private readonly UnitHandle[] _handles;
    private readonly int[] _buckets;
    private int _freeHead = None;
    private int _fresh;
    private int _idleFirst = None;
    private int _idleLast = None;
    private readonly List<int> _doomed = [];
    private long _lastNode;

    /// <param name="units">Units the columns hold.</param>
    /// <param name="headCount">Units of one column.</param>
    /// <param name="capacity">Most columns.</param>
    /// <param name="hash">The chain's hash; tests pass a colliding one.</param>
    public PrefixIndex(UnitTable units, int headCount, int capacity, Func<ColumnHash, ReadOnlySpan<int>, ColumnHash> hash)
    {
        _units = units;
        _hash = hash;
        _headCount = headCount;
        _columns = new PrefixColumn[capacity];
        _tokens = new int[capacity * KvShape.PageTokens];
        _handles = new UnitHandle[capacity * headCount];
        _buckets = new int[BucketCount(capacity)];
        Array.Fill(_buckets, None);
        units.ColumnReferenced = RemoveIdle;
        units.ColumnUnreferenced = AppendIdle;
    }

    public int Count { get; private set; }

    public long DroppedCount { get; private set; }

    public int Capacity => _columns.Length;

    public static long OverheadBytes(int capacity, int headCount) =>
        ((long)capacity * (PrefixColumn.Bytes + (KvShape.PageTokens * sizeof(int)) + (headCount * sizeof(ulong))))
        + ((long)BucketCount(capacity) * sizeof(int));

    /// <summary>The next column of a walk, exact or not; an inexact one computed over no deeper rung than a given one.</summary>
    /// <returns>False when no such column is kept.</returns>
    public bool TryNext(
        PrefixCursor at, ReadOnlySpan<int> tokens, bool exact, out PrefixCursor next, int deepestRung = int.MaxValue)
    {
        ColumnHash hash = _hash(at.Hash, tokens);
        int column = Find(hash, at, tokens, exact);
        column = column != None && _columns[column].Rung > deepestRung ? None : column;
        next = column == None ? at : new PrefixCursor(at.Columns + 1, hash, _columns[column].Node, column, at.Scope);
        return column != None;
    }

    /// <summary>Adds the column after a walk; the caller's page table holds its units and goes on holding them.</summary>
    /// <returns>False when the index is full of columns in use.</returns>
    public bool TryAdd(PrefixCursor at, ReadOnlySpan<int> tokens, ColumnUnits units, out PrefixCursor next)
    {
        next = at;
        // Making room must not take the parent: it has no child yet and may be unreferenced.
        if (_freeHead == None && _fresh == Capacity && (!TryDropOldest(except: at.Column)))
        {
            return false;
        }
        ColumnHash hash = _hash(at.Hash, tokens);
        int twin = Find(hash, at, tokens, !units.Exact);
        int column = _freeHead != None ? _freeHead : _fresh++;
        if (column == _freeHead)
        {
            _freeHead = _columns[column].Next;
        }
        ref int bucket = ref Bucket(hash);
        _columns[column] = new PrefixColumn
        {
            Hash = hash,
            Scope = at.Scope,
            Node = twin != None ? _columns[twin].Node : ++_lastNode,
            ParentNode = at.Node,
            Parent = at.Column,
            Depth = at.Columns + 1,
            Next = bucket,
            IdleNext = None,
            IdlePrevious = None,
            Exact = units.Exact,
            Rung = (byte)units.Rung,
            Used = true,
        };
        bucket = column;
        tokens[..KvShape.PageTokens].CopyTo(_tokens.AsSpan(column * KvShape.PageTokens));
        units.Handles.CopyTo(_handles.AsSpan(column * _headCount));
        for (int head = 0; head < _headCount; head++)
        {
            _units.RetainForPrefix(units.Handles[head], head == 0 ? column : None);
        }
        if (at.Column != None)
        {
            _columns[at.Column].Children++;
        }
        Count++;
        next = new PrefixCursor(at.Columns + 1, hash, _columns[column].Node, column, at.Scope);
        return true;
    }

    /// <summary>Units of a column, one per (layer, KV head).</summary>
    public ReadOnlySpan<UnitHandle> Units(int column) => _handles.AsSpan(column * _headCount, _headCount);

    public bool IsExact(int column) => _columns[column].Exact;

    /// <summary>Deepest rung a column was computed over.</summary>
    public int RungOf(int column) => _columns[column].Rung;

    /// <summary>True while a cursor's column is still the one it passed.</summary>
    public bool IsCurrent(PrefixCursor cursor) =>
        cursor.Columns == 0 || (_columns[cursor.Column].Used && _columns[cursor.Column].Node == cursor.Node);

    /// <summary>
    /// Drops the least recently used column that no page table and no kept child needs. If there is none, but bytes are held by
    /// columns alone because their sequences were squeezed or cut since, those columns are dropped, and what hangs on them is
    /// shared no longer and stays with its page tables.
    /// </summary>
    /// <param name="except">A column that must stay, with all it hangs on; -1: none.</param>
    public bool TryDropOldest(int except = None)
    {
        for (int column = _idleFirst; column != None; column = _columns[column].IdleNext)
        {
            if (_columns[column].Children == 0 && column != except)
            {
                Drop(column);
                return true;
            }
        }
        return except == None && _units.UnreferencedPrefixBytes > 0 && DropWasted();
    }

    private bool DropWasted()
    {
        for (int column = 0; column < _fresh; column++)
        {
            _columns[column].Wasted = _columns[column].Used && HoldsAlone(column);
        }
        _doomed.Clear();
        for (int column = 0; column < _fresh; column++)
        {
            if (_columns[column].Used && HangsOnWasted(column))
            {
                _doomed.Add(column);
            }
        }
        // Children before their parents.
        _doomed.Sort((one, other) => _columns[other].Depth.CompareTo(_columns[one].Depth));
        foreach (int column in _doomed)
        {
            Drop(column);
        }
        return _doomed.Count > 0;
    }

    private bool HoldsAlone(int column)
    {
        foreach (UnitHandle unit in Units(column))
        {
            if (_units.Entry(unit).References == 1)
            {
                return true;
            }
        }
        return false;
    }

    private bool HangsOnWasted(int column)
    {
        while (column != None && !_columns[column].Wasted)
        {
            column = _columns[column].Parent;
        }
        return column != None;
    }

    /// <summary>Calls back with the units of every column kept; for integrity checks.</summary>
    public void VisitUnits(Action<UnitHandle> visit)
    {
        for (int column = 0; column < _fresh; column++)
        {
            if (!_columns[column].Used)
            {
                continue;
            }
            foreach (UnitHandle unit in Units(column))
            {
                visit(unit);
            }
        }
    }

    /// <exception cref="InvalidOperationException">A parent is missing or a child count is wrong.</exception>
    public void CheckIntegrity() => PrefixAudit.Check(_columns.AsSpan(0, _fresh), Count);

    private static int BucketCount(int capacity) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity);

    private ref int Bucket(ColumnHash hash) => ref _buckets[(int)(hash.Low & (ulong)(_buckets.Length - 1))];

    private int Find(ColumnHash hash, PrefixCursor at, ReadOnlySpan<int> tokens, bool exact)
    {
        for (int column = Bucket(hash); column != None; column = _columns[column].Next)
        {
            ref PrefixColumn entry = ref _columns[column];
            if (entry.Hash == hash && entry.Exact == exact && entry.ParentNode == at.Node && entry.Scope == at.Scope
                && _tokens.AsSpan(column * KvShape.PageTokens, KvShape.PageTokens).SequenceEqual(tokens[..KvShape.PageTokens]))
            {
                return column;
            }
        }
        return None;
    }

    private void Drop(int column)
    {
        ref PrefixColumn entry = ref _columns[column];
        if (entry.Idle)
        {
            RemoveIdle(column);
        }
        Unlink(column);
        if (entry.Parent != None)
        {
            _columns[entry.Parent].Children--;
        }
        entry.Used = false;
        foreach (UnitHandle unit in Units(column))
        {
            _units.ReleaseFromPrefix(unit);
        }
        entry.Next = _freeHead;
        _freeHead = column;
        Count--;
        DroppedCount++;
    }

    private void Unlink(int column)
    {
        ref int at = ref Bucket(_columns[column].Hash);
        while (at != column)
        {
            at = ref _columns[at].Next;
        }
        at = _columns[column].Next;
    }

    private void AppendIdle(int column)
    {
        ref PrefixColumn entry = ref _columns[column];
        entry.Idle = true;
        entry.IdlePrevious = _idleLast;
        entry.IdleNext = None;
        if (_idleLast == None)
        {
            _idleFirst = column;
        }
        else
        {
            _columns[_idleLast].IdleNext = column;
        }
        _idleLast = column;
    }

    private void RemoveIdle(int column)
    {
        ref PrefixColumn entry = ref _columns[column];
        entry.Idle = false;
        if (entry.IdlePrevious == None)
        {
            _idleFirst = entry.IdleNext;
        }
        else
        {
            _columns[entry.IdlePrevious].IdleNext = entry.IdleNext;
        }
        if (entry.IdleNext == None)
        {
            _idleLast = entry.IdlePrevious;
        }
        else
        {
            _columns[entry.IdleNext].IdlePrevious = entry.IdlePrevious;
        }
    }
}
