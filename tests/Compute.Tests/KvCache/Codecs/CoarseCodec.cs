using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.Tests.KvCache.Codecs;

/// <summary>The 16-bit codec with the habits of one that packs slots in blocks: it cuts at multiples only.</summary>
internal sealed class CoarseCodec : IKvCodec
{
    private readonly F16Codec _plain = new();

    /// <summary>Slots of one block of keys.</summary>
    public int KeyBlock { get; init; } = 1;

    /// <summary>Slots of one block of values.</summary>
    public int ValueBlock { get; init; } = 1;

    public long Scratch { get; init; }

    public HookNeeds Needs { get; init; }

    public List<(KvSide Side, int Slots)> Cuts { get; } = [];

    public CodecId Id => CodecId.F16;

    public string Name => "coarse";

    public bool HoldsOpenPages => true;

    public int PartBytes(KvSide side, UnitShape shape) => _plain.PartBytes(side, shape);

    public bool RowsMove => true;

    public long ScratchBytes(KvSide side, UnitShape shape) => Scratch;

    public float ErrorBound(KvSide side, float rowMagnitude) => _plain.ErrorBound(side, rowMagnitude);

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part) => _plain.Encode(side, rows, site, part);

    public bool Store(KvSide side, SlotRows rows, UnitShape shape, Span<byte> part) => _plain.Store(side, rows, shape, part);

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows) => _plain.Decode(side, part, site, rows);

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots)
    {
        Assert.Equal(PartBytes(side, shape), part.Length);
        Cuts.Add((side, slots));
        int block = side == KvSide.Keys ? KeyBlock : ValueBlock;
        return slots / block * block;
    }

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => _plain.AttendWith(values, path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => _plain.AttendBehind<TKeys>(path);
}
