using System.Runtime.InteropServices;

namespace Concertina.Compute.KvCache.Memory;

/// <summary>What the cache knows of one unit, 32 bytes in native memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UnitEntry
{
    /// <summary>Position of the unit's first byte in the arena. Changes when the unit is moved.</summary>
    public long Offset;

    /// <summary>Page tables and prefix columns that refer to the unit; 0 when free.</summary>
    public int References;

    /// <summary>Position of the first slot. Positions of head pages are contiguous unless <see cref="UnitFlags.Gapped"/>.</summary>
    public int Start;

    /// <summary>Prefix column whose first unit this is, or -1; while free, the next free index.</summary>
    public int Link;

    /// <summary>Counts the allocations of this index.</summary>
    public uint Generation;

    /// <summary>Slots filled, once the unit is sealed or cut; the page table knows the count of its open page.</summary>
    public ushort FilledCount;

    public byte SizeClass;

    public UnitKind Kind;

    public byte KeyCodec;

    public byte ValueCodec;

    public UnitFlags Flags;

    /// <summary>True while its bytes are counted under its two codecs.</summary>
    public bool Counted;
}
