namespace Concertina.Compute.KvCache.Memory;

/// <summary>What one unit holds: the argument of every size.</summary>
/// <param name="Kind">What it covers.</param>
/// <param name="LayerCount">Layers in the body.</param>
/// <param name="KvHeadCount">KV heads per layer in the body.</param>
/// <param name="HeadDim">Channels of one head.</param>
/// <param name="SlotCount">KV slots per layer and head.</param>
internal readonly record struct UnitShape(UnitKind Kind, int LayerCount, int KvHeadCount, int HeadDim, int SlotCount)
{
    /// <summary>Values on one side (K or V) of the unit.</summary>
    public int ElementCount => LayerCount * KvHeadCount * HeadDim * SlotCount;

    /// <summary>Page lists it appears in: one per (layer, KV head).</summary>
    public int HeadCount => LayerCount * KvHeadCount;

    /// <summary>Neighbouring places it takes in each of those lists.</summary>
    public int PageCount => SlotCount / KvShape.PageTokens;

    /// <summary>The unit of a kind.</summary>
    /// <param name="kind">A kind with slots.</param>
    /// <param name="shape">Shape of the model.</param>
    /// <param name="pageCount">Pages of a segment; 1 for the others.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind has no slots.</exception>
    public static UnitShape For(UnitKind kind, KvShape shape, int pageCount) => kind switch
    {
        UnitKind.HeadPage => HeadPage(shape),
        UnitKind.LayerPage => LayerPage(shape),
        UnitKind.Column => Column(shape),
        UnitKind.Segment => Segment(shape, pageCount),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The kind has no slots."),
    };

    /// <summary>One page of one layer and one KV head.</summary>
    public static UnitShape HeadPage(KvShape shape) => new(UnitKind.HeadPage, 1, 1, shape.HeadDim, KvShape.PageTokens);

    /// <summary>One page of one layer, all KV heads.</summary>
    public static UnitShape LayerPage(KvShape shape) =>
        new(UnitKind.LayerPage, 1, shape.KvHeadCount, shape.HeadDim, KvShape.PageTokens);

    /// <summary>One page of all layers and KV heads.</summary>
    public static UnitShape Column(KvShape shape) =>
        new(UnitKind.Column, shape.LayerCount, shape.KvHeadCount, shape.HeadDim, KvShape.PageTokens);

    /// <summary>Several neighbouring pages of one layer and one KV head.</summary>
    public static UnitShape Segment(KvShape shape, int pageCount) =>
        new(UnitKind.Segment, 1, 1, shape.HeadDim, pageCount * KvShape.PageTokens);
}
