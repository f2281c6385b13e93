using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F32;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.Evaluation;

/// <summary>A codec that is wrong for every model: it stores the rows of a page multiplied and in reverse.</summary>
internal sealed class ScrambledCodec : IKvCodec
{
    private const float Wrong = -60f;

    private readonly F32Codec _plain = new();

    public CodecId Id => (CodecId)15;

    public string Name => "scrambled";

    public bool RowsMove => true;

    public int PartBytes(KvSide side, UnitShape shape) => _plain.PartBytes(side, shape);

    public float ErrorBound(KvSide side, float rowMagnitude) => float.PositiveInfinity;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        float[] wrong = rows.ToArray();
        Array.Reverse(wrong);
        return _plain.Encode(side, [.. wrong.Select(value => value * Wrong)], site, part);
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows) => _plain.Decode(side, part, site, rows);

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => _plain.AttendWith(values, path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => _plain.AttendBehind<TKeys>(path);
}
