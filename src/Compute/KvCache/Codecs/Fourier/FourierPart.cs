using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>
/// Where things lie in one side of a segment: coefficients as halves, then one page of the kept channels per page. Keys:
/// u32[|D_c| / 2, m], a word holds channels 2i and 2i + 1 of an order; values: u32[m / 2, |D_c|], a word holds orders 2i and
/// 2i + 1 of a channel: what is summed over lies in pairs, what is summed for lies in lanes.
/// </summary>
internal readonly struct FourierPart
{
    private readonly KvSide _side;

    public FourierPart(KvSide side, FourierSetup setup, IKvCodec kept)
    {
        FourierChannels channels = setup.Of(side);
        _side = side;
        Orders = channels.Orders;
        CompressedCount = channels.CompressedCount;
        PageCount = setup.PageCount;
        PageShape = UnitShape.HeadPage(new KvShape(1, 1, 1, channels.KeptCount));
        PageBytes = channels.KeptCount == 0 ? 0 : kept.PartBytes(side, PageShape);
    }

    public int Orders { get; }

    public int CompressedCount { get; }

    public int PageCount { get; }

    /// <summary>Shape of a page of the kept channels.</summary>
    public UnitShape PageShape { get; }

    /// <summary>Bytes of a page of the kept channels; 0 when there are none.</summary>
    public int PageBytes { get; }

    /// <summary>Bytes of the coefficients; the first page starts behind them.</summary>
    public int CoefficientBytes => Orders * CompressedCount * sizeof(ushort);

    /// <summary>All bytes.</summary>
    public int Bytes => CoefficientBytes + (PageCount * PageBytes);

    /// <summary>Where a page of the kept channels lies.</summary>
    public Range Page(int page) => (CoefficientBytes + (page * PageBytes))..(CoefficientBytes + ((page + 1) * PageBytes));

    /// <summary>Index of a coefficient among the halves.</summary>
    public int HalfAt(int order, int channel) => _side == KvSide.Keys
        ? ((((channel >> 1) * Orders) + order) * 2) + (channel & 1)
        : ((((order >> 1) * CompressedCount) + channel) * 2) + (order & 1);
}
