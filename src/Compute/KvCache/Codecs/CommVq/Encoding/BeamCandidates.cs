namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>
/// The smallest costs offered so far, in order of (cost, rank of the parent, code): offers come in the order of rank and
/// code, and an equal cost goes behind.
/// </summary>
internal sealed class BeamCandidates(int capacity)
{
    private readonly float[] _costs = new float[capacity];
    private readonly int[] _ranks = new int[capacity];
    private readonly int[] _codes = new int[capacity];

    public int Count { get; private set; }

    /// <summary>What a cost must be below.</summary>
    public float Bound { get; private set; } = float.PositiveInfinity;

    public int Rank(int index) => _ranks[index];

    public int Code(int index) => _codes[index];

    public void Clear()
    {
        Count = 0;
        Bound = float.PositiveInfinity;
    }

    public void Offer(float cost, int rank, int code)
    {
        if (!(cost < Bound))
        {
            return;
        }
        int at = Count < capacity ? Count++ : capacity - 1;
        for (; at > 0 && cost < _costs[at - 1]; at--)
        {
            _costs[at] = _costs[at - 1];
            _ranks[at] = _ranks[at - 1];
            _codes[at] = _codes[at - 1];
        }
        _costs[at] = cost;
        _ranks[at] = rank;
        _codes[at] = code;
        Bound = Count < capacity ? float.PositiveInfinity : _costs[capacity - 1];
    }
}
