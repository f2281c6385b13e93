using System.Runtime.InteropServices;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F32;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Engine.Tests.Kit;

/// <summary>
/// Keeps the first two channels of each row: all that <see cref="FakeRunner"/> writes, so a squeezed sequence must go on
/// exactly as before, in an eighth of the bytes.
/// </summary>
internal sealed class PairCodec(int id, string name, params CodecId[] sources) : IKvCodec
{
    public CodecId Id => (CodecId)id;

    public string Name => name;

    public bool RowsMove => true;

    public double EncodeWeight { get; init; } = 1;

    /// <summary>A row with this token is refused, as a codec refuses what is not finite.</summary>
    public int? RefusedToken { get; init; }

    public int PartBytes(KvSide side, UnitShape shape) => shape.SlotCount * 2 * sizeof(ushort);

    public float ErrorBound(KvSide side, float rowMagnitude) => float.PositiveInfinity;

    public bool Accepts(CodecId source) => source is CodecId.F16 || sources.Contains(source);

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        part.Clear();
        Span<ushort> pairs = MemoryMarshal.Cast<byte, ushort>(part);
        bool taken = true;
        for (int slot = 0; slot < rows.Length / site.Shape.HeadDim; slot++)
        {
            ReadOnlySpan<float> row = rows[(slot * site.Shape.HeadDim)..];
            Assert.Equal(site.Position(slot), (int)row[1]); // the site says the positions the runner wrote
            (pairs[2 * slot], pairs[(2 * slot) + 1]) = ((ushort)row[0], (ushort)row[1]);
            taken &= (int)row[0] != RefusedToken;
        }
        return taken;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        ReadOnlySpan<ushort> pairs = MemoryMarshal.Cast<byte, ushort>(part);
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = pairs[(i / site.Shape.HeadDim * 2) + (i % 2)];
        }
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => new F32Codec().AttendWith(new F32Codec(), path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => new F32Codec().AttendBehind<TKeys>(path);
}
