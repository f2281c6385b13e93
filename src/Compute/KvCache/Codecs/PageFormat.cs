using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>How new head pages are stored: the codecs of the open page, the part sizes, and the page lists of a sequence.</summary>
internal sealed class PageFormat
{
    /// <exception cref="ArgumentException">A codec needs what the model runner does not offer.</exception>
    public PageFormat(KvShape shape, IKvCodec keyCodec, IKvCodec valueCodec)
    {
        RequireOffered(keyCodec);
        RequireOffered(valueCodec);
        Shape = UnitShape.HeadPage(shape);
        HeadCount = shape.HeadCount;
        KeyCodec = keyCodec;
        ValueCodec = valueCodec;
        KeyBytes = keyCodec.PartBytes(KvSide.Keys, Shape);
        PageBytes = KeyBytes + valueCodec.PartBytes(KvSide.Values, Shape);
        ScratchBytes = keyCodec.ScratchBytes(Shape) + valueCodec.ScratchBytes(Shape);
    }

    public UnitShape Shape { get; }

    public int HeadCount { get; }

    public IKvCodec KeyCodec { get; }

    public IKvCodec ValueCodec { get; }

    /// <summary>Where the value part starts.</summary>
    public int KeyBytes { get; }

    /// <summary>Both parts.</summary>
    public int PageBytes { get; }

    /// <summary>Scratch that both codecs declare.</summary>
    public long ScratchBytes { get; }

    /// <summary>
    /// Cuts a page to the slots below a count. Where one codec can cut only lower, the other follows, so that both sides
    /// hold the same slots.
    /// </summary>
    /// <returns>Slots that remain.</returns>
    public int Truncate(Span<byte> page, int slots)
    {
        while (true)
        {
            int keys = KeyCodec.Truncate(KvSide.Keys, page[..KeyBytes], Shape, slots);
            int values = ValueCodec.Truncate(KvSide.Values, page[KeyBytes..PageBytes], Shape, keys);
            if (values == keys || values == 0)
            {
                return values;
            }
            slots = values;
        }
    }

    private static void RequireOffered(IKvCodec codec)
    {
        HookNeeds missing = codec.Needs & ~KvRows.Offered;
        if (missing != HookNeeds.None)
        {
            throw new ArgumentException(
                $"KvCache:Codec '{codec.Name}' needs {missing} of the write hook; the model runner offers keys after RoPE, values and " +
                "positions. Choose another codec.");
        }
    }
}
