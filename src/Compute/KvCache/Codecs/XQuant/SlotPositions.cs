namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>Positions of the slots of one page.</summary>
/// <param name="start">Position of slot 0, or what the offsets count from.</param>
/// <param name="offsets">Null when slot i holds position start + i; else slot i holds start + offsets[i].</param>
internal readonly unsafe struct SlotPositions(int start, ushort* offsets)
{
    /// <summary>True when slot i holds position 64 p + i.</summary>
    public bool IsWholePage => offsets == null && start % KvShape.PageTokens == 0;

    /// <summary>Position of a slot.</summary>
    public int At(int slot) => start + (offsets == null ? slot : offsets[slot]);
}
