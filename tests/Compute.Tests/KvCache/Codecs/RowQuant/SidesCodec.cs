using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs.RowQuant;

/// <summary>One codec for keys and another for values, as if they were one.</summary>
internal sealed class SidesCodec(IKvCodec keys, IKvCodec values) : IKvCodec
{
    public CodecId Id => keys.Id;

    public string Name => keys.Name + "/" + values.Name;

    public bool RowsMove => keys.RowsMove && values.RowsMove;

    public float AttendTolerance => MathF.Max(keys.AttendTolerance, values.AttendTolerance);

    public int PartBytes(KvSide side, UnitShape shape) => Of(side).PartBytes(side, shape);

    public int BlockScratchBytes(KvSide side, int rows, int headDim) => Of(side).BlockScratchBytes(side, rows, headDim);

    public float ErrorBound(KvSide side, float rowMagnitude) => Of(side).ErrorBound(side, rowMagnitude);

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part) => Of(side).Encode(side, rows, site, part);

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows) => Of(side).Decode(side, part, site, rows);

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => Of(side).Truncate(side, part, shape, slots);

    public IUnitAttend AttendWith(IKvCodec other, VectorPath path) => keys.AttendWith(values, path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => values.AttendBehind<TKeys>(path);

    private IKvCodec Of(KvSide side) => side == KvSide.Keys ? keys : values;
}
