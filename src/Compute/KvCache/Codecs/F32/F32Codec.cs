using System.Runtime.InteropServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.F32;

/// <summary>32-bit floats as they are: the definition the others are measured against.</summary>
/// <remarks>Keys: f32[headDim, slots]. Values: f32[slots, headDim]. Already the tile the kernels work on.</remarks>
internal sealed class F32Codec : IKvCodec
{
    public CodecId Id => CodecId.F32;

    public string Name => "f32";

    public bool HoldsOpenPages => true;

    public bool RowsMove => true;

    public int PartBytes(KvSide side, UnitShape shape) => shape.ElementCount * sizeof(float);

    public float ErrorBound(KvSide side, float rowMagnitude) => 0;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        UnitShape shape = site.Shape;
        part[..PartBytes(side, shape)].Clear();
        return Store(side, new SlotRows(rows, shape.HeadDim, 0, rows.Length / shape.HeadDim), shape, part);
    }

    public bool Store(KvSide side, SlotRows rows, UnitShape shape, Span<byte> part)
    {
        Span<float> target = MemoryMarshal.Cast<byte, float>(part);
        for (int i = 0; i < rows.Count; i++)
        {
            ReadOnlySpan<float> row = rows.Row(i, shape.HeadDim);
            int slot = rows.FirstSlot + i;
            if (side == KvSide.Values)
            {
                row.CopyTo(target[(slot * shape.HeadDim)..]);
                continue;
            }
            for (int channel = 0; channel < row.Length; channel++)
            {
                target[(channel * shape.SlotCount) + slot] = row[channel];
            }
        }
        return true;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        UnitShape shape = site.Shape;
        ReadOnlySpan<float> source = MemoryMarshal.Cast<byte, float>(part);
        if (side == KvSide.Values)
        {
            source[..rows.Length].CopyTo(rows);
            return;
        }
        for (int slot = 0; slot < rows.Length / shape.HeadDim; slot++)
        {
            for (int channel = 0; channel < shape.HeadDim; channel++)
            {
                rows[(slot * shape.HeadDim) + channel] = source[(channel * shape.SlotCount) + slot];
            }
        }
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public void CopySlot(KvSide side, SlotMove move, UnitShape shape)
    {
        ReadOnlySpan<float> from = MemoryMarshal.Cast<byte, float>(move.From);
        Span<float> to = MemoryMarshal.Cast<byte, float>(move.To);
        (int stride, int step) = side == KvSide.Keys ? (1, shape.SlotCount) : (shape.HeadDim, 1);
        for (int channel = 0; channel < shape.HeadDim; channel++)
        {
            to[(move.ToSlot * stride) + (channel * step)] = from[(move.FromSlot * stride) + (channel * step)];
        }
    }

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<F32Keys>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => UnitAttend.Make<TKeys, F32Values>(path);
}
