namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// Names one allocation of a unit: index (32 bits), generation (24 bits, counts the allocations of the index) and the
/// table's own tag (8 bits). A handle kept after the unit was freed, or shown to another cache, is recognised.
/// </summary>
internal readonly record struct UnitHandle(ulong Value)
{
    public const uint GenerationMask = 0xFF_FFFF;

    /// <summary>No unit: tags start at 1.</summary>
    public static UnitHandle None => default;

    public int Index => (int)(uint)Value;

    public uint Generation => (uint)(Value >> 32) & GenerationMask;

    public byte Tag => (byte)(Value >> 56);

    public static UnitHandle Of(int index, uint generation, byte tag) =>
        new((uint)index | ((ulong)(generation & GenerationMask) << 32) | ((ulong)tag << 56));

    public override string ToString() => $"unit {Index} (generation {Generation}, cache {Tag})";
}
