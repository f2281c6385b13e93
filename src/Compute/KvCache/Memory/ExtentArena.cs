using System.Numerics;

namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// One address range cut into extents of 1 MiB. An extent serves one size class; an empty one returns to the arena. Knows
/// slots, not units: <see cref="UnitTable"/> gives slots an identity. One thread.
/// </summary>
internal sealed unsafe class ExtentArena : IDisposable
{
    public const int ExtentBytes = 1 << 20;
    public const int MaximumSlots = 2048;
    private const int WordsPerExtent = MaximumSlots / 64;
    private const int None = -1;
    private const sbyte FreeExtent = -1;

    private readonly AddressRange _range;
    private readonly List<SizeClass> _classes = [];
    private readonly int[] _partialHead = new int[sbyte.MaxValue];
    private readonly long[] _freeSlots = new long[sbyte.MaxValue];
    private readonly ulong[] _occupied;
    private readonly sbyte[] _class;
    private readonly ushort[] _live;
    private readonly bool[] _touched;
    private readonly int[] _next;
    private readonly int[] _previous;
    private int _freeHead;

    public ExtentArena(int extentCount)
    {
        ExtentCount = extentCount;
        _range = new AddressRange((long)extentCount * ExtentBytes);
        _occupied = new ulong[extentCount * WordsPerExtent];
        _class = new sbyte[extentCount];
        _live = new ushort[extentCount];
        _touched = new bool[extentCount];
        _next = new int[extentCount];
        _previous = new int[extentCount];
        Array.Fill(_class, FreeExtent);
        Array.Fill(_partialHead, None);
        _freeHead = None;
        for (int extent = extentCount - 1; extent >= 0; extent--)
        {
            Push(ref _freeHead, extent);
        }
    }

    public byte* Start => _range.Start;

    public int ExtentCount { get; }

    public int ExtentsInUse { get; private set; }

    /// <summary>Bytes the operating system may hold for the arena: extents that were written since they were last given back.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>Bytes of units in use, each with its stride.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Bytes of extents in use that hold no unit.</summary>
    public long FragmentedBytes => ((long)ExtentsInUse * ExtentBytes) - LiveBytes;

    public bool ReturnsMemory => _range.ReturnsMemory;

    public IReadOnlyList<SizeClass> Classes => _classes;

    /// <summary>Bytes of the arena's own lists for a number of extents.</summary>
    public static long OverheadBytes(long extentCount) => extentCount * ((WordsPerExtent * 8) + 12);

    /// <summary>The class of a size; equal strides share one.</summary>
    public int AddClass(int unitBytes)
    {
        SizeClass sizeClass = SizeClass.For(unitBytes);
        int known = _classes.FindIndex(other => other.StrideBytes == sizeClass.StrideBytes);
        if (known >= 0)
        {
            return known;
        }
        _classes.Add(sizeClass);
        return _classes.Count - 1;
    }

    /// <summary>Takes a slot of an extent that already serves the class.</summary>
    public bool TryTake(int sizeClass, out long offset)
    {
        int extent = _partialHead[sizeClass];
        if (extent == None)
        {
            offset = 0;
            return false;
        }
        SizeClass cut = _classes[sizeClass];
        int slot = FirstFree(extent);
        _occupied[(extent * WordsPerExtent) + (slot >> 6)] |= 1UL << (slot & 63);
        if (++_live[extent] == cut.SlotsPerExtent)
        {
            Remove(ref _partialHead[sizeClass], extent);
        }
        _freeSlots[sizeClass]--;
        LiveBytes += cut.StrideBytes;
        offset = ((long)extent * ExtentBytes) + ((long)slot * cut.StrideBytes);
        return true;
    }

    /// <summary>Gives a free extent to a class.</summary>
    public bool TryOpen(int sizeClass)
    {
        int extent = _freeHead;
        if (extent == None)
        {
            return false;
        }
        Remove(ref _freeHead, extent);
        _class[extent] = (sbyte)sizeClass;
        ResidentBytes += _touched[extent] ? 0 : ExtentBytes;
        _touched[extent] = true;
        Push(ref _partialHead[sizeClass], extent);
        _freeSlots[sizeClass] += _classes[sizeClass].SlotsPerExtent;
        ExtentsInUse++;
        return true;
    }

    /// <summary>Returns a slot; an extent without units becomes free.</summary>
    public void Return(int sizeClass, long offset)
    {
        SizeClass cut = _classes[sizeClass];
        int extent = (int)(offset / ExtentBytes);
        int slot = (int)(offset % ExtentBytes) / cut.StrideBytes;
        ref ulong word = ref _occupied[(extent * WordsPerExtent) + (slot >> 6)];
        ulong bit = 1UL << (slot & 63);
        if (_class[extent] != sizeClass || (word & bit) == 0)
        {
            throw new InvalidOperationException(
                $"Slot {slot} of extent {extent} is not in use by size class {sizeClass} ({cut.StrideBytes} bytes); freed twice?");
        }
        word &= ~bit;
        LiveBytes -= cut.StrideBytes;
        _freeSlots[sizeClass]++;
        if (_live[extent]-- == cut.SlotsPerExtent)
        {
            Push(ref _partialHead[sizeClass], extent);
        }
        if (_live[extent] == 0)
        {
            Close(sizeClass, extent);
        }
    }

    /// <summary>
    /// The emptiest extent of a class whose units would fit the free slots of its other extents, or -1. Hides the extent
    /// from <see cref="TryTake"/>; returning its last slot frees it.
    /// </summary>
    public int TakeOutEmptiest(int sizeClass)
    {
        int best = None;
        for (int extent = _partialHead[sizeClass]; extent != None; extent = _next[extent])
        {
            if (best == None || _live[extent] < _live[best])
            {
                best = extent;
            }
        }
        int slots = _classes[sizeClass].SlotsPerExtent;
        if (best == None || _freeSlots[sizeClass] - (slots - _live[best]) < _live[best])
        {
            return None;
        }
        // Its free slots stay counted until it closes; the list alone decides where units go.
        Remove(ref _partialHead[sizeClass], best);
        return best;
    }

    /// <summary>Puts an emptied extent back among the free ones.</summary>
    public void CloseTakenOut(int sizeClass, int extent)
    {
        Push(ref _partialHead[sizeClass], extent);
        Close(sizeClass, extent);
    }

    /// <summary>Returns a slot of an extent that was taken out; does not close it.</summary>
    public void ReturnTakenOut(int sizeClass, long offset)
    {
        SizeClass cut = _classes[sizeClass];
        int extent = (int)(offset / ExtentBytes);
        int slot = (int)(offset % ExtentBytes) / cut.StrideBytes;
        _occupied[(extent * WordsPerExtent) + (slot >> 6)] &= ~(1UL << (slot & 63));
        _live[extent]--;
        _freeSlots[sizeClass]++;
        LiveBytes -= cut.StrideBytes;
    }

    /// <summary>Gives the memory of free extents back to the operating system.</summary>
    /// <returns>Bytes given back.</returns>
    public long DiscardFree()
    {
        long bytes = 0;
        for (int extent = _freeHead; extent != None; extent = _next[extent])
        {
            if (_touched[extent] && _range.Discard((long)extent * ExtentBytes, ExtentBytes))
            {
                _touched[extent] = false;
                ResidentBytes -= ExtentBytes;
                bytes += ExtentBytes;
            }
        }
        return bytes;
    }

    public void Dispose() => _range.Dispose();

    private void Close(int sizeClass, int extent)
    {
        Remove(ref _partialHead[sizeClass], extent);
        _freeSlots[sizeClass] -= _classes[sizeClass].SlotsPerExtent;
        _class[extent] = FreeExtent;
        Push(ref _freeHead, extent);
        ExtentsInUse--;
    }

    private int FirstFree(int extent)
    {
        int word = extent * WordsPerExtent;
        int first = word;
        while (_occupied[word] == ulong.MaxValue)
        {
            word++;
        }
        return ((word - first) * 64) + BitOperations.TrailingZeroCount(~_occupied[word]);
    }

    private void Push(ref int head, int extent)
    {
        _next[extent] = head;
        _previous[extent] = None;
        if (head != None)
        {
            _previous[head] = extent;
        }
        head = extent;
    }

    private void Remove(ref int head, int extent)
    {
        if (_previous[extent] == None)
        {
            head = _next[extent];
        }
        else
        {
            _next[_previous[extent]] = _next[extent];
        }
        if (_next[extent] != None)
        {
            _previous[_next[extent]] = _previous[extent];
        }
    }
}
