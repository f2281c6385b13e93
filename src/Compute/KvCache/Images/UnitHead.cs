using System.Buffers.Binary;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Images;

/// <summary>What an image says of one unit, 16 bytes before its bytes.</summary>
internal readonly record struct UnitHead
{
    public const int Bytes = 16;
    private const int ValueCodecAt = 1;
    private const int KindAt = 2;
    private const int FlagsAt = 3;
    private const int FilledAt = 4;
    private const int StartAt = 8;
    private const int StrideAt = 12;

    public required byte KeyCodec { get; init; }

    public required byte ValueCodec { get; init; }

    public required UnitKind Kind { get; init; }

    /// <summary>Its marks; which prefix column holds it is none of a copy's.</summary>
    public required UnitFlags Flags { get; init; }

    public required ushort FilledCount { get; init; }

    public required int Start { get; init; }

    /// <summary>Bytes of the slot it takes, which name its size class in any cache of the same formats.</summary>
    public required int StrideBytes { get; init; }

    public static UnitHead Of(in UnitEntry entry, int strideBytes) => new()
    {
        KeyCodec = entry.KeyCodec,
        ValueCodec = entry.ValueCodec,
        Kind = entry.Kind,
        Flags = entry.Flags & ~UnitFlags.InPrefix,
        FilledCount = entry.FilledCount,
        Start = entry.Start,
        StrideBytes = strideBytes,
    };

    public static UnitHead Read(ReadOnlySpan<byte> bytes) => new()
    {
        KeyCodec = bytes[0],
        ValueCodec = bytes[ValueCodecAt],
        Kind = (UnitKind)bytes[KindAt],
        Flags = (UnitFlags)bytes[FlagsAt],
        FilledCount = BinaryPrimitives.ReadUInt16LittleEndian(bytes[FilledAt..]),
        Start = BinaryPrimitives.ReadInt32LittleEndian(bytes[StartAt..]),
        StrideBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[StrideAt..]),
    };

    public void Write(Span<byte> bytes)
    {
        bytes[..Bytes].Clear();
        (bytes[0], bytes[ValueCodecAt], bytes[KindAt], bytes[FlagsAt]) = (KeyCodec, ValueCodec, (byte)Kind, (byte)Flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[FilledAt..], FilledCount);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[StartAt..], Start);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[StrideAt..], StrideBytes);
    }

    /// <summary>Gives a new unit what it says; size class and place are the unit's own.</summary>
    public void CopyTo(ref UnitEntry entry)
    {
        (entry.KeyCodec, entry.ValueCodec, entry.Kind, entry.Flags) = (KeyCodec, ValueCodec, Kind, Flags);
        (entry.FilledCount, entry.Start) = (FilledCount, Start);
    }

    /// <summary>The part of an entry that says how many bytes mean something.</summary>
    public UnitEntry ToEntry()
    {
        UnitEntry entry = default;
        CopyTo(ref entry);
        return entry;
    }
}
