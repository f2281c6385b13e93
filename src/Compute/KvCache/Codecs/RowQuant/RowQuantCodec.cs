using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.Kernels;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>Codes of 8, 4 or 2 bits with a 16-bit scale and minimum per group: see the README of the folder.</summary>
/// <remarks>
/// A part is words, then scales. Keys: u32[headDim * bits / 32, slots], pairs are channels i and i + headDim / 2. Values:
/// u32[slots * bits / 32, headDim], pairs are slots i and i + 32. Scales: u32[groups, slots], low half = scale, high half =
/// minimum; keys by channel have u32[slots / 32, headDim] instead, and a form whose tokens share scales one u32 for so many slots. See <see cref="RowPacking"/> for the fields of a word.
/// </remarks>
internal sealed class RowQuantCodec<TBits, TForm> : IKvCodec
    where TBits : struct, ICodeBits
    where TForm : struct, IRowForm
{
    private const float LargestHalf = 65504f;
    private const int LargestHeadDim = 256;

    public CodecId Id => TForm.Id;

    public string Name => TForm.Name;

    public bool RowsMove => !TForm.KeysByChannel && TForm.TokensOfScale == 1;

    public double EncodeWeight => TForm.EncodeWeight;

    public float AttendTolerance => TForm.AttendTolerance;

    private static float Levels => (1 << TBits.Bits) - 1;

    public int PartBytes(KvSide side, UnitShape shape) =>
        RowPart.WordBytes(shape, TBits.Bits) + (RowPart.ScaleCount<TForm>(side, shape) * sizeof(uint));

    public int BlockScratchBytes(KvSide side, int rows, int headDim) =>
        side == KvSide.Keys ? KeyArea.Bytes(rows, headDim) : ValueArea.Bytes(rows, headDim);

    /// <inheritdoc/>
    /// <remarks>
    /// Half a step, or what is clamped. Rotated: a row of n channels has a range of at most sqrt(2 n) of its magnitude, and
    /// errors e of n channels may all meet in one: sqrt(n) e; with the largest n, because none is given.
    /// </remarks>
    public float ErrorBound(KvSide side, float rowMagnitude)
    {
        const float Rounding = 1.003f;        // scale and minimum, each by up to 2^-10
        const float SmallestStep = 1.2e-7f;   // and by up to one subnormal half
        bool rotated = side == KvSide.Keys && TForm.RotatesKeys;
        float spread = rotated ? MathF.Sqrt(LargestHeadDim) : 1f;
        // A scale that other rows share depends on them too.
        if ((side == KvSide.Keys && TForm.KeysByChannel) || TForm.TokensOfScale > 1 || rowMagnitude * spread > LargestHalf)
        {
            return float.PositiveInfinity;
        }
        float range = rotated ? MathF.Sqrt(2f) * spread * rowMagnitude : 2f * rowMagnitude;
        float share = MathF.Max(TForm.RangeShare / (2f * Levels), (1f - TForm.RangeShare) / 2f);
        return spread * ((range * share * Rounding) + SmallestStep);
    }

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        UnitShape shape = site.Shape;
        Span<byte> codes = stackalloc byte[shape.ElementCount];
        codes.Clear();
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(part[..PartBytes(side, shape)]);
        Span<uint> scales = words[(RowPart.WordBytes(shape, TBits.Bits) / sizeof(uint))..];
        scales.Clear();
        bool finite = side == KvSide.Keys && TForm.KeysByChannel
            ? EncodeChannels(rows, shape, codes, scales)
            : EncodeRows(side, rows, shape, codes, scales);
        RowPacking.Pack(codes, RowPart.Lanes(side, shape), TBits.Bits, words);
        return finite;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        UnitShape shape = site.Shape;
        int headDim = shape.HeadDim;
        Span<byte> codes = stackalloc byte[shape.ElementCount];
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(part);
        ReadOnlySpan<uint> scales = words[(RowPart.WordBytes(shape, TBits.Bits) / sizeof(uint))..];
        RowPacking.Unpack(words, RowPart.Lanes(side, shape), TBits.Bits, codes);
        (int slotStep, int channelStep) = side == KvSide.Keys ? (1, shape.SlotCount) : (headDim, 1);
        for (int slot = 0; slot < rows.Length / headDim; slot++)
        {
            Span<float> row = rows.Slice(slot * headDim, headDim);
            int at = slot * slotStep;
            int group = RowPart.GroupChannels<TForm>(side, headDim);
            for (int first = 0; first < headDim; first += group)
            {
                uint halves = scales[RowPart.ScaleAt<TForm>(side, shape, slot, first)];
                float scale = HalfConversion.ToSingle((ushort)halves);
                float minimum = HalfConversion.ToSingle((ushort)(halves >> 16));
                foreach (ref float element in row[first..Math.Min(first + group, headDim)])
                {
                    element = (codes[at] * scale) + minimum;
                    at += channelStep;
                }
            }
            if (side == KvSide.Keys && TForm.RotatesKeys)
            {
                HeadRotation.Inverse(row);
            }
        }
    }

    public bool Accepts(CodecId source) => source is CodecId.F16 or CodecId.F32
        || (source == CodecId.Int8 && TBits.Bits < 8) || (source == CodecId.Int4 && TBits.Bits < 4);

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public void CopySlot(KvSide side, SlotMove move, UnitShape shape)
    {
        if (!RowsMove)
        {
            throw new NotSupportedException($"Slots of codec '{Name}' share data with their page and cannot move alone.");
        }
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(move.From);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(move.To);
        int wordCount = RowPart.WordBytes(shape, TBits.Bits) / sizeof(uint);
        int scaleCount = RowPart.ScaleCount<TForm>(side, shape);
        for (int at = 0; at < scaleCount; at += shape.SlotCount)
        {
            to[wordCount + at + move.ToSlot] = from[wordCount + at + move.FromSlot];
        }
        if (side == KvSide.Keys)
        {
            for (int at = 0; at < wordCount; at += shape.SlotCount)
            {
                to[at + move.ToSlot] = from[at + move.FromSlot];
            }
            return;
        }
        (int fromAt, int fromShift) = RowPart.ValueField(move.FromSlot, shape, TBits.Bits);
        (int toAt, int toShift) = RowPart.ValueField(move.ToSlot, shape, TBits.Bits);
        uint mask = (1u << TBits.Bits) - 1;
        for (int channel = 0; channel < shape.HeadDim; channel++)
        {
            uint code = (from[fromAt + channel] >> fromShift) & mask;
            to[toAt + channel] = (to[toAt + channel] & ~(mask << toShift)) | (code << toShift);
        }
    }

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<RowQuantKeys<TBits, TForm>>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => UnitAttend.Make<TKeys, RowQuantValues<TBits, TForm>>(path);

    private static bool EncodeRows(KvSide side, ReadOnlySpan<float> rows, UnitShape shape, Span<byte> codes, Span<uint> scales)
    {
        int headDim = shape.HeadDim;
        int group = RowPart.GroupChannels<TForm>(side, headDim);
        int shared = TForm.TokensOfScale * headDim;
        group = TForm.TokensOfScale == 1 ? group : shared;
        Span<float> block = stackalloc float[shared];
        Span<byte> blockCodes = stackalloc byte[shared];
        bool finite = true;
        for (int start = 0; start < rows.Length; start += shared)
        {
            int length = Math.Min(shared, rows.Length - start);
            rows.Slice(start, length).CopyTo(block);
            for (int row = 0; side == KvSide.Keys && TForm.RotatesKeys && row < length; row += headDim)
            {
                Rotate(block.Slice(row, headDim));
            }
            for (int first = 0, at = start / shared; first < length; first += group, at += RowPart.ScaleSlots<TForm>(shape))
            {
                int count = Math.Min(group, length - first);
                finite &= RowQuantizer.TryQuantise(
                    block.Slice(first, count), new(TBits.Bits, TForm.RangeShare), blockCodes[first..], out scales[at]);
            }
            Place(side, blockCodes[..length], start / headDim, shape, codes);
        }
        return finite;
    }

    // Codes of whole rows, where packing expects them.
    private static void Place(KvSide side, ReadOnlySpan<byte> rowCodes, int slot, UnitShape shape, Span<byte> codes)
    {
        if (side == KvSide.Values)
        {
            rowCodes.CopyTo(codes[(slot * shape.HeadDim)..]);
            return;
        }
        for (int at = 0; at < rowCodes.Length; at++)
        {
            codes[(at % shape.HeadDim * shape.SlotCount) + slot + (at / shape.HeadDim)] = rowCodes[at];
        }
    }

    private static bool EncodeChannels(ReadOnlySpan<float> rows, UnitShape shape, Span<byte> codes, Span<uint> scales)
    {
        int headDim = shape.HeadDim;
        int filled = rows.Length / headDim;
        Span<float> group = stackalloc float[RowPart.ChannelGroup];
        bool finite = true;
        for (int first = 0; first < filled; first += RowPart.ChannelGroup)
        {
            int count = Math.Min(RowPart.ChannelGroup, filled - first);
            for (int channel = 0; channel < headDim; channel++)
            {
                for (int i = 0; i < count; i++)
                {
                    group[i] = rows[((first + i) * headDim) + channel];
                }
                finite &= RowQuantizer.TryQuantise(
                    group[..count],
                    new(TBits.Bits, TForm.RangeShare),
                    codes[((channel * shape.SlotCount) + first)..],
                    out scales[(first / RowPart.ChannelGroup * headDim) + channel]);
            }
        }
        return finite;
    }

    // A rotated channel may be larger than any half although the row is not; it becomes the largest.
    private static void Rotate(Span<float> row)
    {
        bool finite = true;
        for (int i = 0; i < row.Length; i += Vector256<float>.Count)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref row[i]);
            finite &= (x * Vector256<float>.Zero) == Vector256<float>.Zero;
        }
        HeadRotation.Forward(row);
        Vector256<float> limit = Vector256.Create(LargestHalf);
        for (int i = 0; finite && i < row.Length; i += Vector256<float>.Count)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref row[i]);
            Vector256.MinNative(Vector256.MaxNative(x, -limit), limit).StoreUnsafe(ref row[i]);
        }
        if (!finite)
        {
            row.Fill(float.NaN);
        }
    }
}
