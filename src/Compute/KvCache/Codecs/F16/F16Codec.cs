using System.Runtime.InteropServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.F16;

/// <summary>IEEE 754 binary16, rounded to nearest, ties to even: the open page and the lossless rung.</summary>
/// <remarks>
/// Keys: u32[headDim / 2, slots], low half = channel 2i, high half = channel 2i + 1. Values: u32[slots / 2, headDim], low
/// half = slot 2i, high half = slot 2i + 1. Lanes of a vector are slots for keys and channels for values, so a score or an
/// output element is one sequential sum in its lane; pairs share a word because that widens with one shift less.
/// </remarks>
internal sealed class F16Codec : IKvCodec
{
    private const float LargestFinite = 65504f;
    private const ushort InfinityBits = 0x7C00;

    public CodecId Id => CodecId.F16;

    public string Name => "f16";

    public bool HoldsOpenPages => true;

    public bool RowsMove => true;

    public int PartBytes(KvSide side, UnitShape shape) => shape.ElementCount * sizeof(ushort);

    // Half a unit in the last of 11 bits, or half the subnormal step.
    public float ErrorBound(KvSide side, float rowMagnitude) =>
        rowMagnitude > LargestFinite ? float.PositiveInfinity : MathF.Max(rowMagnitude * 4.8828125e-4f, 2.9802322e-8f);

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        UnitShape shape = site.Shape;
        part[..PartBytes(side, shape)].Clear();
        return Store(side, new SlotRows(rows, shape.HeadDim, 0, rows.Length / shape.HeadDim), shape, part);
    }

    public bool Store(KvSide side, SlotRows rows, UnitShape shape, Span<byte> part)
    {
        Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(part);
        Span<ushort> row = stackalloc ushort[shape.HeadDim];
        bool finite = true;
        for (int i = 0; i < rows.Count; i++)
        {
            HalfConversion.ToHalf(rows.Row(i, shape.HeadDim), row);
            finite &= !HasSpecial(row);
            int slot = rows.FirstSlot + i;
            if (side == KvSide.Keys)
            {
                Span<uint> words = MemoryMarshal.Cast<byte, uint>(part);
                ReadOnlySpan<uint> pairs = MemoryMarshal.Cast<ushort, uint>(row);
                for (int pair = 0; pair < pairs.Length; pair++)
                {
                    words[(pair * shape.SlotCount) + slot] = pairs[pair];
                }
            }
            else
            {
                Span<ushort> target = halves[(((slot >> 1) * shape.HeadDim * 2) + (slot & 1))..];
                for (int channel = 0; channel < row.Length; channel++)
                {
                    target[channel * 2] = row[channel];
                }
            }
        }
        return finite;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        if (side == KvSide.Keys)
        {
            DecodeKeys(part, site.Shape, rows);
        }
        else
        {
            DecodeValues(part, site.Shape, rows);
        }
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public void CopySlot(KvSide side, SlotMove move, UnitShape shape)
    {
        ReadOnlySpan<ushort> from = MemoryMarshal.Cast<byte, ushort>(move.From);
        Span<ushort> to = MemoryMarshal.Cast<byte, ushort>(move.To);
        for (int channel = 0; channel < shape.HeadDim; channel++)
        {
            to[HalfAt(side, shape, move.ToSlot, channel)] = from[HalfAt(side, shape, move.FromSlot, channel)];
        }
    }

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<F16Keys>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => UnitAttend.Make<TKeys, F16Values>(path);

    // A word holds two neighbouring channels of a slot, and so do two neighbouring floats of a row.
    private static void DecodeKeys(ReadOnlySpan<byte> part, UnitShape shape, Span<float> rows)
    {
        int count = rows.Length / shape.HeadDim;
        int pairs = shape.HeadDim / 2;
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(part);
        Span<float> wide = stackalloc float[2 * count];
        ReadOnlySpan<ulong> from = MemoryMarshal.Cast<float, ulong>(wide);
        Span<ulong> to = MemoryMarshal.Cast<float, ulong>(rows);
        for (int pair = 0; pair < pairs; pair++)
        {
            HalfConversion.ToSingle(halves.Slice(pair * shape.SlotCount * 2, 2 * count), wide);
            for (int slot = 0; slot < from.Length; slot++)
            {
                to[(slot * pairs) + pair] = from[slot];
            }
        }
    }

    // A word holds a channel of two neighbouring slots.
    private static void DecodeValues(ReadOnlySpan<byte> part, UnitShape shape, Span<float> rows)
    {
        int width = shape.HeadDim;
        int count = rows.Length / width;
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(part);
        Span<float> wide = stackalloc float[2 * width];
        for (int slot = 0; slot < count; slot += 2)
        {
            HalfConversion.ToSingle(halves.Slice(slot * width, 2 * width), wide);
            Span<float> even = rows.Slice(slot * width, width);
            Span<float> odd = slot + 1 < count ? rows.Slice((slot + 1) * width, width) : [];
            for (int channel = 0; channel < even.Length; channel++)
            {
                even[channel] = wide[2 * channel];
            }
            for (int channel = 0; channel < odd.Length; channel++)
            {
                odd[channel] = wide[(2 * channel) + 1];
            }
        }
    }

    private static int HalfAt(KvSide side, UnitShape shape, int slot, int channel) => side == KvSide.Keys
        ? ((((channel >> 1) * shape.SlotCount) + slot) * 2) + (channel & 1)
        : ((((slot >> 1) * shape.HeadDim) + channel) * 2) + (slot & 1);

    private static bool HasSpecial(ReadOnlySpan<ushort> row)
    {
        bool special = false;
        foreach (ushort half in row)
        {
            special |= (half & InfinityBits) == InfinityBits;
        }
        return special;
    }
}
