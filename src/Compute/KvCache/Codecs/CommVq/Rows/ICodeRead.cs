using System.Runtime.CompilerServices;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Rows;

/// <summary>How codes lie in a plane: compiled into the loops, so that they do not branch.</summary>
internal unsafe interface ICodeRead
{
    /// <summary>Bytes of a plane.</summary>
    static abstract int PlaneBytes { get; }

    /// <summary>Bits of the second index.</summary>
    static abstract int SecondBits { get; }

    /// <summary>True when a code is two indices.</summary>
    static abstract bool IsPair { get; }

    static abstract int Read(byte* plane, int slot);
}

/// <summary>Two indices of 4 bits.</summary>
internal readonly unsafe struct NibblePair : ICodeRead
{
    public static int PlaneBytes => KvShape.PageTokens;

    public static int SecondBits => 4;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(byte* plane, int slot) => plane[slot];
}

/// <summary>Two indices of 6 bits in a stream of 12.</summary>
internal readonly unsafe struct SixBitPair : ICodeRead
{
    public static int PlaneBytes => KvShape.PageTokens * 12 / 8;

    public static int SecondBits => 6;

    public static bool IsPair => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(byte* plane, int slot)
    {
        byte* at = plane + (slot * 3 / 2);
        int word = at[0] | (at[1] << 8);
        return (slot & 1) == 0 ? word & 0xFFF : word >> 4;
    }
}

/// <summary>One index of 6 bits.</summary>
internal readonly unsafe struct SixBits : ICodeRead
{
    public static int PlaneBytes => KvShape.PageTokens * 6 / 8;

    public static int SecondBits => 6;

    public static bool IsPair => false;

    // The byte behind the last plane is a scale, so reading it is in bounds.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(byte* plane, int slot)
    {
        int bit = slot * 6;
        byte* at = plane + (bit >> 3);
        return ((at[0] | (at[1] << 8)) >> (bit & 7)) & 63;
    }
}

/// <summary>One index of 8 bits.</summary>
internal readonly unsafe struct EightBits : ICodeRead
{
    public static int PlaneBytes => KvShape.PageTokens;

    public static int SecondBits => 8;

    public static bool IsPair => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(byte* plane, int slot) => plane[slot];
}
