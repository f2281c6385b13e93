using System.Runtime.InteropServices;

namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// Gives slots of the arena an identity: entries in a table made once, handles, reference counts, and moves that close
/// fragmented extents. One thread writes; during a step any thread may read.
/// </summary>
internal sealed unsafe class UnitTable : IDisposable
{
    private const int None = -1;
    private const int Codecs = 64;
    private static int _lastTag;

    private UnitEntry* _entries;
    private ushort* _accounts;
    private readonly ExtentArena _arena;
    private readonly CacheBudget _budget;
    private readonly ExtentUnits _inExtent;
    private readonly byte _tag;
    private readonly long[] _formBytes = new long[Codecs * Codecs];
    private readonly int _capacity;
    private int _freeHead = None;
    private int _fresh;

    public UnitTable(ExtentArena arena, CacheBudget budget, int capacity)
    {
        _arena = arena;
        _budget = budget;
        _capacity = capacity;
        _inExtent = new ExtentUnits(arena.ExtentCount, capacity);
        _entries = (UnitEntry*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(UnitEntry));
        _accounts = (ushort*)NativeMemory.AllocZeroed((nuint)capacity, sizeof(ushort));
        _tag = (byte)(1 + (Interlocked.Increment(ref _lastTag) % byte.MaxValue));
    }

    public long LiveCount { get; private set; }

    /// <summary>Who pays for what page tables refer to.</summary>
    public KvAccounts Accounts { get; } = new();

    /// <summary>Bytes of units held by prefix columns.</summary>
    public long PrefixBytes { get; private set; }

    /// <summary>Of those, bytes that no page table refers to.</summary>
    public long UnreferencedPrefixBytes { get; private set; }

    /// <summary>Unit whose last page table let go, if it is the first of a prefix column.</summary>
    public Action<int>? ColumnUnreferenced { get; set; }

    /// <summary>Unit of an unreferenced prefix column that a page table took.</summary>
    public Action<int>? ColumnReferenced { get; set; }

    public static long OverheadBytes(long capacity, long extentCount) =>
        (capacity * (sizeof(UnitEntry) + sizeof(ushort))) + ExtentUnits.OverheadBytes(extentCount, capacity);

    /// <summary>Makes a unit with one reference, or returns false when the budget or the table is exhausted.</summary>
    /// <param name="sizeClass">Class of its size.</param>
    /// <param name="fromReserve">True for transcoding, which may use the reserve.</param>
    /// <param name="unit">The unit.</param>
    public bool TryAllocate(int sizeClass, bool fromReserve, out UnitHandle unit)
    {
        ObjectDisposedException.ThrowIf(_entries == null, this);
        unit = UnitHandle.None;
        if ((_freeHead == None && _fresh == _capacity) || !TryTakeSlot(sizeClass, fromReserve, out long offset))
        {
            return false;
        }
        int index = _freeHead != None ? _freeHead : _fresh++;
        ref UnitEntry entry = ref _entries[index];
        if (index == _freeHead)
        {
            _freeHead = entry.Link;
        }
        entry.Offset = offset;
        _inExtent.Add(ExtentOf(offset), index);
        entry.References = 1;
        entry.Link = None;
        entry.SizeClass = (byte)sizeClass;
        entry.Start = 0;
        entry.FilledCount = 0;
        entry.Flags = UnitFlags.None;
        LiveCount++;
        unit = UnitHandle.Of(index, entry.Generation, _tag);
        return true;
    }

    /// <summary>Bytes of units with slots.</summary>
    public long AllFormBytes => _formBytes.Sum();

    /// <summary>Bytes of units whose sides are stored by two codecs, by their numbers.</summary>
    public long FormBytes(byte keyCodec, byte valueCodec) => _formBytes[(keyCodec * Codecs) + valueCodec];

    /// <summary>Says once what a new unit with slots holds.</summary>
    public void SetForm(ref UnitEntry entry, UnitKind kind, byte keyCodec, byte valueCodec)
    {
        (entry.Kind, entry.KeyCodec, entry.ValueCodec, entry.Counted) = (kind, keyCodec, valueCodec, true);
        _formBytes[(keyCodec * Codecs) + valueCodec] += _arena.Classes[entry.SizeClass].StrideBytes;
    }

    /// <summary>The entry of a live unit.</summary>
    /// <exception cref="InvalidOperationException">The handle is of another cache, or its unit was freed.</exception>
    /// <exception cref="ObjectDisposedException">The table was disposed.</exception>
    public ref UnitEntry Entry(UnitHandle unit)
    {
        ObjectDisposedException.ThrowIf(_entries == null, this);
        if (unit.Tag != _tag || (uint)unit.Index >= (uint)_fresh)
        {
            throw new InvalidOperationException($"The handle of {unit} belongs to another cache (this is cache {_tag}).");
        }
        ref UnitEntry entry = ref _entries[unit.Index];
        if (entry.References == 0 || (entry.Generation & UnitHandle.GenerationMask) != unit.Generation)
        {
            throw new InvalidOperationException($"The handle of {unit} outlived its unit; it was freed before.");
        }
        return ref entry;
    }

    /// <summary>
    /// The entry without the checks of <see cref="Entry"/>, for the attention loop over lists that were checked. The caller
    /// has asked the arena for its <see cref="ExtentArena.Start"/> first, which refuses after disposal.
    /// </summary>
    public UnitEntry* Peek(UnitHandle unit) => _entries + unit.Index;

    /// <summary>First byte of a live unit; valid until the next allocation, which may move units.</summary>
    public byte* Bytes(UnitHandle unit) => _arena.Start + Entry(unit).Offset;

    public int StrideBytes(UnitHandle unit) => _arena.Classes[Entry(unit).SizeClass].StrideBytes;

    /// <summary>A page table takes a unit: the first one's account pays for it from now on, while any table refers to it.</summary>
    public void Own(UnitHandle unit, ushort account)
    {
        ref UnitEntry entry = ref Entry(unit);
        // In bounds: the handle was checked, and there are as many accounts as entries.
        if (_accounts[unit.Index] == KvAccounts.None)
        {
            _accounts[unit.Index] = account;
            Accounts.Add(account, _arena.Classes[entry.SizeClass].StrideBytes);
        }
    }

    /// <summary>The account that pays for a unit.</summary>
    public ushort AccountOf(UnitHandle unit)
    {
        _ = Entry(unit);
        return _accounts[unit.Index]; // in bounds: the handle was checked
    }

    /// <summary>Adds a page table's reference.</summary>
    public void Retain(UnitHandle unit)
    {
        ref UnitEntry entry = ref Entry(unit);
        if (entry.References++ == 1 && entry.Flags.HasFlag(UnitFlags.InPrefix))
        {
            Unreference(unit.Index, -_arena.Classes[entry.SizeClass].StrideBytes);
            if (entry.Link != None)
            {
                ColumnReferenced?.Invoke(entry.Link);
            }
        }
    }

    /// <summary>Drops a page table's reference; the last one frees the unit.</summary>
    public void Release(UnitHandle unit)
    {
        ref UnitEntry entry = ref Entry(unit);
        if (--entry.References == 0)
        {
            Pay(unit.Index, -_arena.Classes[entry.SizeClass].StrideBytes);
            Free(ref entry, unit.Index);
        }
        else if (entry.References == 1 && entry.Flags.HasFlag(UnitFlags.InPrefix))
        {
            Unreference(unit.Index, _arena.Classes[entry.SizeClass].StrideBytes);
            if (entry.Link != None)
            {
                ColumnUnreferenced?.Invoke(entry.Link);
            }
        }
    }

    /// <summary>Adds the reference of a prefix column to a unit that a page table holds.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="column">The column, if this is its first unit; else -1.</param>
    public void RetainForPrefix(UnitHandle unit, int column)
    {
        ref UnitEntry entry = ref Entry(unit);
        entry.References++;
        entry.Flags |= UnitFlags.InPrefix;
        entry.Link = column;
        PrefixBytes += _arena.Classes[entry.SizeClass].StrideBytes;
    }

    /// <summary>Drops the reference of a prefix column.</summary>
    public void ReleaseFromPrefix(UnitHandle unit)
    {
        ref UnitEntry entry = ref Entry(unit);
        int stride = _arena.Classes[entry.SizeClass].StrideBytes;
        PrefixBytes -= stride;
        entry.Flags &= ~UnitFlags.InPrefix;
        entry.Link = None;
        if (--entry.References == 0)
        {
            UnreferencedPrefixBytes -= stride;
            Free(ref entry, unit.Index);
        }
    }

    /// <summary>Moves units out of one fragmented extent, so that it becomes free.</summary>
    public bool TryCompact()
    {
        for (int sizeClass = 0; sizeClass < _arena.Classes.Count; sizeClass++)
        {
            int extent = _arena.TakeOutEmptiest(sizeClass);
            if (extent != None)
            {
                MoveOut(sizeClass, extent);
                return true;
            }
        }
        return false;
    }

    public void Dispose()
    {
        NativeMemory.Free(_entries);
        NativeMemory.Free(_accounts);
        _entries = null;
        _accounts = null;
    }

    // Positive: only a prefix column holds it now, and nobody pays.
    private void Unreference(int index, int stride)
    {
        UnreferencedPrefixBytes += stride;
        Pay(index, -stride);
    }

    // In bounds: the index is a checked handle's.
    private void Pay(int index, int bytes)
    {
        if (_accounts[index] != KvAccounts.None)
        {
            Accounts.Add(_accounts[index], bytes);
        }
    }

    private static int ExtentOf(long offset) => (int)(offset / ExtentArena.ExtentBytes);

    private bool TryTakeSlot(int sizeClass, bool fromReserve, out long offset)
    {
        while (!_arena.TryTake(sizeClass, out offset))
        {
            bool opened = _budget.CanOpenExtent(_arena.ExtentsInUse, fromReserve) && _arena.TryOpen(sizeClass);
            if (!opened && !TryCompact())
            {
                return false;
            }
        }
        return true;
    }

    private void MoveOut(int sizeClass, int extent)
    {
        int stride = _arena.Classes[sizeClass].StrideBytes;
        for (int index = _inExtent.First(extent); index != None; index = _inExtent.First(extent))
        {
            ref UnitEntry entry = ref _entries[index];
            if (!_arena.TryTake(sizeClass, out long target))
            {
                throw new InvalidOperationException($"Extent {extent} was chosen for compaction, but its units fit nowhere.");
            }
            Buffer.MemoryCopy(_arena.Start + entry.Offset, _arena.Start + target, stride, stride);
            _arena.ReturnTakenOut(sizeClass, entry.Offset);
            _inExtent.Remove(extent, index);
            entry.Offset = target;
            _inExtent.Add(ExtentOf(target), index);
        }
        _arena.CloseTakenOut(sizeClass, extent);
    }

    private void Free(ref UnitEntry entry, int index)
    {
        _inExtent.Remove(ExtentOf(entry.Offset), index);
        _arena.Return(entry.SizeClass, entry.Offset);
        if (entry.Counted)
        {
            _formBytes[(entry.KeyCodec * Codecs) + entry.ValueCodec] -= _arena.Classes[entry.SizeClass].StrideBytes;
            entry.Counted = false;
        }
        _accounts[index] = KvAccounts.None;
        entry.Kind = UnitKind.Free;
        entry.Generation++;
        entry.Link = _freeHead;
        _freeHead = index;
        LiveCount--;
    }
}
