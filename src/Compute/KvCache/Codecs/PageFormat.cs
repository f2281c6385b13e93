using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>How new head pages are stored: the codecs of the open page, the part sizes, and the page lists of a sequence.</summary>
internal sealed class PageFormat
{
    public PageFormat(KvShape shape, IKvCodec keyCodec, IKvCodec valueCodec)
    {
        Shape = UnitShape.HeadPage(shape);
        HeadCount = shape.HeadCount;
        KeyCodec = keyCodec;
        ValueCodec = valueCodec;
        KeyBytes = keyCodec.PartBytes(KvSide.Keys, Shape);
        PageBytes = KeyBytes + valueCodec.PartBytes(KvSide.Values, Shape);
    }

    public UnitShape Shape { get; }

    public int HeadCount { get; }

    public IKvCodec KeyCodec { get; }

    public IKvCodec ValueCodec { get; }

    /// <summary>Where the value part starts.</summary>
    public int KeyBytes { get; }

    /// <summary>Both parts.</summary>
    public int PageBytes { get; }
}
