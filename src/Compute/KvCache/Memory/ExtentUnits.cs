namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// Which units lie in which extent: one doubly linked list per extent, in arrays made once. Emptying an extent so costs what
/// it holds, not what the whole cache ever held.
/// </summary>
internal sealed class ExtentUnits
{
    private const int None = -1;
    private readonly int[] _first;
    private readonly Neighbours[] _neighbours;

    public ExtentUnits(int extentCount, int unitCapacity)
    {
        _first = new int[extentCount];
        _neighbours = new Neighbours[unitCapacity];
        Array.Fill(_first, None);
    }

    /// <summary>Bytes of the lists for so many extents and units.</summary>
    public static long OverheadBytes(long extentCount, long unitCapacity) =>
        (extentCount * sizeof(int)) + (unitCapacity * 2 * sizeof(int));

    /// <summary>A unit of the extent, or -1 when it holds none.</summary>
    public int First(int extent) => _first[extent];

    /// <summary>Puts a unit, which is in no list, at the front.</summary>
    public void Add(int extent, int unit)
    {
        int next = _first[extent];
        _neighbours[unit] = new Neighbours(None, next);
        if (next != None)
        {
            _neighbours[next] = _neighbours[next] with { Previous = unit };
        }
        _first[extent] = unit;
    }

    /// <summary>Takes a unit out of the extent's list.</summary>
    public void Remove(int extent, int unit)
    {
        (int previous, int next) = _neighbours[unit];
        if (previous == None)
        {
            _first[extent] = next;
        }
        else
        {
            _neighbours[previous] = _neighbours[previous] with { Next = next };
        }
        if (next != None)
        {
            _neighbours[next] = _neighbours[next] with { Previous = previous };
        }
    }

    private readonly record struct Neighbours(int Previous, int Next);
}
