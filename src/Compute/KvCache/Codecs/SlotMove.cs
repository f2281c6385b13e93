namespace Concertina.Compute.KvCache.Codecs;

/// <summary>One slot on its way from one part to another of the same head and codec.</summary>
/// <param name="from">Part it is read from.</param>
/// <param name="fromSlot">Its slot there.</param>
/// <param name="to">Part it is written to; may be the same.</param>
/// <param name="toSlot">Its slot there.</param>
internal readonly ref struct SlotMove(ReadOnlySpan<byte> from, int fromSlot, Span<byte> to, int toSlot)
{
    public ReadOnlySpan<byte> From { get; } = from;

    public int FromSlot { get; } = fromSlot;

    public Span<byte> To { get; } = to;

    public int ToSlot { get; } = toSlot;
}
