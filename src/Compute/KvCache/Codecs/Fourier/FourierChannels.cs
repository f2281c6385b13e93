namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>
/// Which channels of one side are stored by their lowest orders over time (D_c) and which as they are (D_u), per head. Every
/// head has equally many, because a size class serves all heads of a rung. Immutable.
/// </summary>
internal sealed class FourierChannels
{
    /// <summary>Both counts of channels, and orders, are multiples of this: kernels run over whole vectors.</summary>
    public const int Multiple = 16;

    private readonly int[][] _compressed;
    private readonly int[][] _kept;

    /// <param name="headDim">Channels of a head.</param>
    /// <param name="orders">Lowest orders m that are kept of each compressed channel; a multiple of 16.</param>
    /// <param name="compressed">D_c of every head, ascending; equally many per head, a multiple of 16; none and all are allowed.</param>
    /// <exception cref="ArgumentException">A count is out of range, heads differ in number, or a list is not ascending channels.</exception>
    public FourierChannels(int headDim, int orders, IReadOnlyList<int[]> compressed)
    {
        if (headDim is < Multiple or > 256 || headDim % Multiple != 0)
        {
            throw new ArgumentException($"The head dimension must be a multiple of 16 between 16 and 256, not {headDim}.", nameof(headDim));
        }
        if (orders < Multiple || orders % Multiple != 0)
        {
            throw new ArgumentException($"The number of orders must be a multiple of 16 from 16 on, not {orders}.", nameof(orders));
        }
        if (compressed.Count == 0)
        {
            throw new ArgumentException("There are channel lists of no head; all heads need one.", nameof(compressed));
        }
        HeadDim = headDim;
        Orders = orders;
        CompressedCount = compressed[0].Length;
        for (int head = 0; head < compressed.Count; head++)
        {
            RequireList(compressed[head], head);
        }
        _compressed = [.. compressed.Select(list => (int[])list.Clone())];
        _kept = [.. compressed.Select(list => Enumerable.Range(0, headDim).Except(list).ToArray())];
    }

    /// <summary>Channels of a head.</summary>
    public int HeadDim { get; }

    /// <summary>Lowest orders m that are kept of a compressed channel.</summary>
    public int Orders { get; }

    public int HeadCount => _compressed.Length;

    /// <summary>|D_c|, of every head.</summary>
    public int CompressedCount { get; }

    /// <summary>|D_u|, of every head.</summary>
    public int KeptCount => HeadDim - CompressedCount;

    /// <summary>D_c of a head (layer * KvHeadCount + KV head), ascending.</summary>
    public ReadOnlySpan<int> Compressed(int head) => _compressed[head];

    /// <summary>D_u of a head, ascending.</summary>
    public ReadOnlySpan<int> Kept(int head) => _kept[head];

    private void RequireList(int[] list, int head)
    {
        if (list.Length != CompressedCount || list.Length % Multiple != 0)
        {
            throw new ArgumentException(
                $"Head {head} has {list.Length} compressed channels and head 0 {CompressedCount}; all have equally many, a multiple of 16.");
        }
        for (int i = 0; i < list.Length; i++)
        {
            if (list[i] >= HeadDim || list[i] <= (i == 0 ? -1 : list[i - 1]))
            {
                throw new ArgumentException($"The compressed channels of head {head} must ascend and lie below {HeadDim}; number {i} is {list[i]}.");
            }
        }
    }
}
