using System.Runtime.Intrinsics;
using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Keys and values as quantised latents of the singular value decomposition of their projections, all KV heads of a layer in one
/// page, keys rematerialised on every read. The GQA form of XQuant; source: https://arxiv.org/abs/2508.10395, section 3.3.1.
/// </summary>
/// <remarks>
/// A part is codes, then scales; see <see cref="LatentPlanes"/>. A group of keys is one latent over the 64 tokens of the page,
/// a group of values up to 128 latents of one token.
/// </remarks>
internal sealed unsafe class XQuantCodec<TBits> : IKvCodec
    where TBits : struct, ILatentBits
{
    private readonly XQuantTables _tables;
    private PartBuffers? _spare;

    internal XQuantCodec(XQuantTables tables) => _tables = tables;

    public CodecId Id => TBits.Id;

    public string Name => TBits.Name;

    public UnitKind Kind => UnitKind.LayerPage;

    // A group of keys spans the page.
    public bool RowsMove => false;

    public double EncodeWeight => XQuantCodecs.EncodeWeight(_tables.Setup.Shape);

    public float AttendTolerance => XQuantCodecs.AttendTolerance;

    // The tables are shared; the codec of most bits pays.
    public long ModelBytes(KvSide side) => TBits.Bits == 8 ? _tables.Bytes(side) : 0;

    // The buffers for encoding are each codec's own and serve both sides.
    public long ScratchBytes(KvSide side, UnitShape shape) => ModelBytes(side) + (side == KvSide.Keys
        ? PartBuffers.Bytes(LargestStride, _tables.Setup.Shape.HeadDim, _tables.Angles.Width)
        : 0);

    public int BlockScratchBytes(KvSide side, int rows, int headDim) => side == KvSide.Keys
        ? _tables.Stride(side) * KvShape.PageTokens * sizeof(float)
        : LatentSums.Bytes(rows, _tables.Stride(side));

    /// <exception cref="ArgumentException">The shape is not a layer page of the model.</exception>
    public int PartBytes(KvSide side, UnitShape shape)
    {
        if (shape != UnitShape.LayerPage(_tables.Setup.Shape))
        {
            throw new ArgumentException(
                $"Codec '{Name}' was made for layer pages of {_tables.Setup.Shape}, not for {shape}. Make it from the maps of the cache's model.", nameof(shape));
        }
        return LatentPlanes.PartBytes(side, _tables.Width(side), TBits.Bits);
    }

    // A latent's error meets every channel through M: nothing is promised for a single row.
    public float ErrorBound(KvSide side, float rowMagnitude) => float.PositiveInfinity;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        RequireSlots(rows.Length, _tables.Setup.Shape.KvHeadCount * _tables.Setup.Shape.HeadDim);
        Span<byte> whole = part[..PartBytes(side, site.Shape)];
        PartBuffers buffers = Take();
        bool finite = VectorPaths.Best switch
        {
            VectorPath.Lanes16 => new PartCoder<Lanes16, Vector512<float>, TBits>(_tables, buffers).Encode(side, rows, site, whole),
            VectorPath.Lanes8 => new PartCoder<Lanes8, Vector256<float>, TBits>(_tables, buffers).Encode(side, rows, site, whole),
            _ => new PartCoder<ScalarLanes, float, TBits>(_tables, buffers).Encode(side, rows, site, whole),
        };
        Volatile.Write(ref _spare, buffers);
        return finite;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows) =>
        Decode(VectorPaths.Best, side, part[..PartBytes(side, site.Shape)], site, rows);

    public bool Accepts(CodecId source) => source switch
    {
        CodecId.F16 or CodecId.F32 or CodecId.Int8 => true,
        CodecId.Int4 => TBits.Bits < 4,
        CodecId.XQuant8 => TBits.Bits < 8,
        CodecId.XQuant4 => TBits.Bits < 4,
        _ => false,
    };

    public bool TryConvert(KvSide side, CodecId from, ReadOnlySpan<byte> source, Span<byte> part, UnitShape shape)
    {
        int bits = from switch
        {
            CodecId.XQuant8 => 8,
            CodecId.XQuant4 => 4,
            _ => 0,
        };
        if (bits <= TBits.Bits)
        {
            return false;
        }
        Span<byte> whole = part[..PartBytes(side, shape)];
        PartBuffers buffers = Take();
        new PartCoder<ScalarLanes, float, TBits>(_tables, buffers).Convert(side, source, bits, whole);
        Volatile.Write(ref _spare, buffers);
        return true;
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public byte* Data(KvSide side, int head) => (byte*)_tables.Head(side, head);

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<XQuantKeys<TBits>>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => UnitAttend.Make<TKeys, XQuantValues<TBits>>(path);

    /// <summary>Decoding by a given vector path; all give the same bits.</summary>
    internal void Decode(VectorPath path, KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        RequireSlots(rows.Length, _tables.Setup.Shape.HeadDim);
        PartBuffers buffers = Take();
        // Reads stay in the part, whose length the caller checked; writes in the buffers, which hold 64 slots.
        fixed (byte* bytes = part)
        {
            switch (path)
            {
                case VectorPath.Lanes16:
                    new PartCoder<Lanes16, Vector512<float>, TBits>(_tables, buffers).Decode(side, bytes, site, rows);
                    break;
                case VectorPath.Lanes8:
                    new PartCoder<Lanes8, Vector256<float>, TBits>(_tables, buffers).Decode(side, bytes, site, rows);
                    break;
                default:
                    new PartCoder<ScalarLanes, float, TBits>(_tables, buffers).Decode(side, bytes, site, rows);
                    break;
            }
        }
        Volatile.Write(ref _spare, buffers);
    }

    private void RequireSlots(int length, int slotLength)
    {
        if (length % slotLength != 0 || length / slotLength > KvShape.PageTokens)
        {
            throw new ArgumentException(
                $"Codec '{Name}' was given {length} numbers; up to {KvShape.PageTokens} slots of {slotLength} are needed.", nameof(length));
        }
    }

    private int LargestStride => Math.Max(_tables.Stride(KvSide.Keys), _tables.Stride(KvSide.Values));

    // One set is kept; callers at the same time make their own.
    private PartBuffers Take() => Interlocked.Exchange(ref _spare, null)
        ?? new PartBuffers(LargestStride, _tables.Setup.Shape.HeadDim, _tables.Angles.Width);
}
