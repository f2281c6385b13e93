namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Ranks the slots of one head in bounded pieces: with which block each would go, and what each block costs. Block e (from 1)
/// is freed by evicting every slot that goes with a block up to e; costs never fall from block to block, so the blocks taken
/// from a head are always its first ones.
/// </summary>
/// <remarks>
/// Source: arXiv 2410.00161, section 4.2.2. A slot whose metric is infinite (protected) or NaN never goes. Equal metrics
/// go in slot order.
/// </remarks>
internal sealed unsafe class HeadRanks(EvictionGrain grain)
{
    /// <summary>Mark of a slot that no block takes.</summary>
    public const ushort Never = ushort.MaxValue;

    /// <summary>Cost of a block that comes free by compaction alone, because pages are not full.</summary>
    private const float Nothing = float.MinValue;

    private readonly PacedSort _sort = new();
    private RankSpace _space;
    private Phase _phase = Phase.Done;
    private int _next;
    private int _finite;

    private enum Phase
    {
        Key,
        Sort,
        Assign,
        Done,
    }

    /// <summary>Heap bytes it keeps.</summary>
    public static long FixedBytes => PacedSort.FixedBytes;

    /// <summary>True between <see cref="Begin"/> and the last piece.</summary>
    public bool IsOpen => _phase != Phase.Done;

    /// <summary>Blocks that could be freed, once done.</summary>
    public int Freeable { get; private set; }

    // Ranks are given to slots, or to whole pages.
    private int Items => grain == EvictionGrain.Slots ? _space.Slots : _space.Pages;

    private int SlotsPerItem => grain == EvictionGrain.Slots ? 1 : _space.PageTokens;

    /// <summary>Blocks of so many slots.</summary>
    public static int Blocks(int slots, int blockTokens) => (slots + blockTokens - 1) / blockTokens;

    /// <summary>Starts a head.</summary>
    public void Begin(in RankSpace space)
    {
        _space = space;
        (_phase, _next, _finite, Freeable) = (Phase.Key, 0, 0, 0);
    }

    /// <summary>Forgets the head that is open.</summary>
    public void Drop() => _phase = Phase.Done;

    /// <summary>Goes on.</summary>
    /// <param name="mostSlots">Most slots looked at, at least a page.</param>
    /// <returns>Slots looked at.</returns>
    public int Advance(int mostSlots)
    {
        int most = mostSlots / SlotsPerItem;
        switch (_phase)
        {
            case Phase.Key:
                int end = Math.Min(Items, _next + most);
                int keyed = end - _next;
                Key(end);
                if (_next == Items)
                {
                    _sort.Begin(_space.Keys, _space.Spare, Items);
                    (_phase, _next) = (Phase.Sort, 0);
                }
                return keyed * SlotsPerItem;
            case Phase.Sort:
                int sorted = _sort.Advance(most);
                _phase = _sort.IsDone ? Phase.Assign : Phase.Sort;
                return sorted * SlotsPerItem;
            case Phase.Assign:
                int before = _next;
                bool more = grain == EvictionGrain.Slots ? AssignSlots(most) : AssignPages(most);
                _phase = more ? Phase.Assign : Phase.Done;
                return (_next - before) * SlotsPerItem;
            default:
                return 0;
        }
    }

    private void Key(int end)
    {
        for (; _next < end; _next++)
        {
            float value = grain == EvictionGrain.Slots ? _space.Metric[_next] : SumOfPage(_next);
            _space.Keys[_next] = ((ulong)Ordered(value) << 32) | (uint)_next;
            _finite += float.IsFinite(value) ? 1 : 0;
            Slots(_next).Fill(Never);
        }
    }

    private float SumOfPage(int page)
    {
        int first = page * _space.PageTokens;
        float sum = 0f;
        foreach (float value in new ReadOnlySpan<float>(_space.Metric + first, Math.Min(_space.PageTokens, _space.Slots - first)))
        {
            sum += value;
        }
        return sum;
    }

    // A block costs what its dearest slot costs. What full pages would hold beyond the slots there are counts as gone already.
    private bool AssignSlots(int most)
    {
        int gone = (_space.Pages * _space.PageTokens) - _space.Slots;
        for (int stop = _next + most; Freeable < _space.Pages && Freeable < Never - 1; Freeable++)
        {
            int end = Math.Max(0, ((Freeable + 1) * _space.PageTokens) - gone);
            if (end > _finite)
            {
                return false;
            }
            if (end > stop)
            {
                return true;
            }
            for (; _next < end; _next++)
            {
                _space.GoesWith[Item(_next)] = (ushort)(Freeable + 1);
            }
            _space.Costs[Freeable] = end == 0 ? Nothing : _space.Metric[Item(end - 1)];
        }
        return false;
    }

    // A page costs the sum of its slots, and goes only if none of them is protected.
    private bool AssignPages(int most)
    {
        for (int stop = Math.Min(_finite, _next + most); _next < stop; _next++, Freeable++)
        {
            Slots(Item(_next)).Fill((ushort)(_next + 1));
            _space.Costs[_next] = Value(_sort.Sorted[_next]);
        }
        return _next < _finite;
    }

    private int Item(int rank) => (int)(uint)_sort.Sorted[rank];

    private Span<ushort> Slots(int item)
    {
        int first = item * SlotsPerItem;
        return new Span<ushort>(_space.GoesWith + first, Math.Min(SlotsPerItem, _space.Slots - first));
    }

    // Unsigned integers in the order of the floats; -0 becomes 0, infinities of both signs and NaN come last.
    private static uint Ordered(float value)
    {
        if (!float.IsFinite(value))
        {
            return uint.MaxValue;
        }
        int bits = BitConverter.SingleToInt32Bits(value + 0f);
        return (uint)(bits ^ ((bits >> 31) & int.MaxValue)) ^ 0x8000_0000;
    }

    private static float Value(ulong key)
    {
        int bits = (int)((uint)(key >> 32) ^ 0x8000_0000);
        return BitConverter.Int32BitsToSingle(bits ^ ((bits >> 31) & int.MaxValue));
    }
}
