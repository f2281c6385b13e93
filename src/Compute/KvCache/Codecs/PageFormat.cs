using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>How units of one pair of codecs are stored: what they cover, where the parts lie and how large they are.</summary>
internal sealed class PageFormat
{
    /// <summary>Position offsets that a page carries after eviction: one 16-bit number per slot, after both parts.</summary>
    public const int OffsetBytes = KvShape.PageTokens * sizeof(ushort);

    /// <exception cref="ArgumentException">A codec needs what the model runner does not offer, or the two store different kinds of unit.</exception>
    /// <param name="shape">Shape of the model.</param>
    /// <param name="keyCodec">Codec of keys.</param>
    /// <param name="valueCodec">Codec of values.</param>
    /// <param name="keepsDecisions">Whether the model says of its tokens how little they are needed, so that head pages keep it.</param>
    public PageFormat(KvShape shape, IKvCodec keyCodec, IKvCodec valueCodec, bool keepsDecisions = false)
    {
        RequireOffered(keyCodec);
        RequireOffered(valueCodec);
        Shape = UnitShape.For(keyCodec.Kind, shape, keyCodec.PageCount);
        if (Shape != UnitShape.For(valueCodec.Kind, shape, valueCodec.PageCount))
        {
            throw new ArgumentException(
                $"Codec '{keyCodec.Name}' stores a {keyCodec.Kind} of {keyCodec.PageCount} pages and '{valueCodec.Name}' a {valueCodec.Kind} of " +
                $"{valueCodec.PageCount}; the two sides of a rung share their units.");
        }
        HeadCount = shape.HeadCount;
        KvHeadCount = shape.KvHeadCount;
        KeyCodec = keyCodec;
        ValueCodec = valueCodec;
        KeyBytes = keyCodec.PartBytes(KvSide.Keys, Shape);
        PageBytes = KeyBytes + valueCodec.PartBytes(KvSide.Values, Shape);
        DecisionBytes = keepsDecisions && Shape.Kind == UnitKind.HeadPage ? SlotDecision.PageBytes : 0;
    }

    public UnitShape Shape { get; }

    /// <summary>Page lists of a table.</summary>
    public int HeadCount { get; }

    /// <summary>KV heads of a layer.</summary>
    public int KvHeadCount { get; }

    public IKvCodec KeyCodec { get; }

    public IKvCodec ValueCodec { get; }

    /// <summary>Where the value part starts.</summary>
    public int KeyBytes { get; }

    /// <summary>Both parts.</summary>
    public int PageBytes { get; }

    /// <summary>Bytes of the decisions on its slots, after both parts: one each, or none.</summary>
    public int DecisionBytes { get; }

    /// <summary>Both parts and the decisions.</summary>
    public int WholeBytes => PageBytes + DecisionBytes;

    /// <summary>All that and the offsets of a page after eviction.</summary>
    public int GappedBytes => OffsetStart + OffsetBytes;

    /// <summary>Where the offsets start: after the rest, at an even byte.</summary>
    public int OffsetStart => (WholeBytes + 1) & ~1;

    /// <summary>True when slots of both sides stand alone, so that eviction can move them.</summary>
    public bool RowsMove => KeyCodec.RowsMove && ValueCodec.RowsMove;

    /// <summary>Whether a unit is stored in this format.</summary>
    public bool Holds(in UnitEntry entry) => entry.KeyCodec == (byte)KeyCodec.Id && entry.ValueCodec == (byte)ValueCodec.Id;

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
