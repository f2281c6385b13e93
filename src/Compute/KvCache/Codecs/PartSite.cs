using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Where a part belongs: its shape, the head whose model data it reads, and the positions of its slots.</summary>
/// <param name="shape">What the unit holds.</param>
/// <param name="head">layer * KvHeadCount + KV head: the head that is read, or the first of a unit that is written.</param>
/// <param name="start">Position of the unit's first slot.</param>
/// <param name="offsets">Empty when slot i holds position start + i; else slot i holds start + offsets[i].</param>
internal readonly ref struct PartSite(UnitShape shape, int head, int start, ReadOnlySpan<ushort> offsets = default)
{
    public UnitShape Shape { get; } = shape;

    public int Head { get; } = head;

    /// <summary>Position of the unit's first slot.</summary>
    public int Start { get; } = start;

    /// <summary>Which page of a unit of several is read; 0 where it has one, and where the whole unit is written.</summary>
    public int Page { get; init; }

    public ReadOnlySpan<ushort> Offsets { get; } = offsets;

    /// <summary>Position in its sequence of a slot of the page.</summary>
    public int Position(int slot) => Start + (Page * KvShape.PageTokens) + (Offsets.IsEmpty ? slot : Offsets[slot]);
}
