namespace Concertina.Compute.KvCache.Eviction.Planning;

/// <summary>
/// Which heads give up how many blocks. Candidates of all heads are taken in the order (cost, head, block), heads in layer
/// order. The costs of a head never fall, so a merge over the heads finds that order without sorting all candidates:
/// O(heads + blocks log heads).
/// </summary>
internal sealed unsafe class EvictionSchedule(int mostHeads)
{
    private readonly PriorityQueue<int, (float Cost, int Head)> _next = new(mostHeads);
    private readonly int[] _ends = new int[mostHeads];
    private float* _costs;
    private int _room;
    private int _headCount;
    private int _floor;
    private long _wanted;

    /// <summary>Heap bytes it keeps.</summary>
    public static long BytesFor(int heads) => heads * (sizeof(int) + 16L);

    /// <summary>Starts a schedule.</summary>
    /// <param name="costs">Memory of the caller, one per block of all heads, until the schedule was read.</param>
    /// <param name="blocks">Blocks of all heads.</param>
    public void Begin(float* costs, int blocks)
    {
        _costs = costs;
        (_room, _headCount) = (blocks, 0);
    }

    /// <summary>Room for the costs of the next head; <see cref="Add"/> says how many were written.</summary>
    public Span<float> Costs => new(_costs + First(_headCount), _room - First(_headCount));

    /// <summary>Adds the next head.</summary>
    /// <param name="freeable">Costs written to <see cref="Costs"/>.</param>
    public void Add(int freeable)
    {
        _ends[_headCount] = First(_headCount) + freeable;
        _headCount++;
    }

    /// <summary>Begins to take the cheapest blocks of all heads together.</summary>
    /// <param name="blocks">Blocks wanted.</param>
    /// <param name="taken">Receives the blocks of each head; nothing yet.</param>
    /// <param name="floorShare">
    /// Share of an equal part of what is kept that each head keeps whatever its costs, 0 to 1: heads whose attention is
    /// diffuse have small squares and would else be emptied. The safeguard of Ada-KV, https://arxiv.org/abs/2407.11550.
    /// </param>
    public void BeginGlobal(long blocks, Span<int> taken, double floorShare = 0)
    {
        taken[.._headCount].Clear();
        _next.Clear();
        long kept = Math.Max(0, (_headCount == 0 ? 0 : _ends[_headCount - 1]) - blocks);
        _floor = (int)(floorShare * kept / Math.Max(1, _headCount));
        _wanted = blocks;
        for (int head = 0; head < _headCount; head++)
        {
            Offer(head, 0);
        }
    }

    /// <summary>Takes more of them.</summary>
    /// <param name="most">Most blocks.</param>
    /// <param name="taken">As given before.</param>
    /// <returns>Blocks taken; fewer than allowed when all that are wanted, or all there are, were taken.</returns>
    public int TakeGlobal(int most, Span<int> taken)
    {
        int count = 0;
        for (; count < most && _wanted > 0 && _next.TryDequeue(out int head, out _); count++, _wanted--)
        {
            Offer(head, ++taken[head]);
        }
        return count;
    }

    /// <summary>
    /// Takes from the fullest heads, so that all keep the same number of blocks, or one more, or all they have; whatever they
    /// lost before.
    /// </summary>
    /// <param name="blocks">Blocks wanted.</param>
    /// <param name="taken">Receives the blocks of each head.</param>
    /// <returns>Blocks taken: fewer when there are not so many.</returns>
    public long Uniform(long blocks, Span<int> taken)
    {
        long kept = Math.Max(0, _ends[_headCount - 1] - blocks);
        int level = 0;
        while (KeptAt(level + 1) <= kept && level < _ends[_headCount - 1])
        {
            level++;
        }
        long more = kept - KeptAt(level); // heads that keep one above the level
        long count = 0;
        for (int head = 0; head < _headCount; head++)
        {
            int held = _ends[head] - First(head);
            int keeps = Math.Min(held, level);
            if (more > 0 && held > level)
            {
                keeps++;
                more--;
            }
            taken[head] = held - keeps;
            count += taken[head];
        }
        return count;
    }

    private long KeptAt(int level)
    {
        long kept = 0;
        for (int head = 0; head < _headCount; head++)
        {
            kept += Math.Min(_ends[head] - First(head), level);
        }
        return kept;
    }

    private int First(int head) => head == 0 ? 0 : _ends[head - 1];

    private void Offer(int head, int block)
    {
        int index = First(head) + block;
        if (index < _ends[head] - _floor)
        {
            _next.Enqueue(head, (_costs[index], head));
        }
    }
}
