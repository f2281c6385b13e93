using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Where a part belongs: its shape, the head whose model data it reads, and the positions of its slots.</summary>
/// <param name="shape">What the unit holds.</param>
/// <param name="head">layer * KvHeadCount + KV head.</param>
/// <param name="start">Position of slot 0.</param>
/// <param name="offsets">Empty when slot i holds position start + i; else slot i holds start + offsets[i].</param>
internal readonly ref struct PartSite(UnitShape shape, int head, int start, ReadOnlySpan<ushort> offsets = default)
{
    public UnitShape Shape { get; } = shape;

    public int Head { get; } = head;

    public int Start { get; } = start;

    public ReadOnlySpan<ushort> Offsets { get; } = offsets;

    /// <summary>Position of a slot in its sequence.</summary>
    public int Position(int slot) => Start + (Offsets.IsEmpty ? slot : Offsets[slot]);
}
