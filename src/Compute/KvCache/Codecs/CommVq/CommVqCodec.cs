using Concertina.Compute.Attention;
using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Encoding;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>
/// Keys before RoPE and values as sums of learned codewords, commvq2 with all stages of its books and commvq1 with the first
/// half. Source: https://arxiv.org/abs/2506.18879.
/// </summary>
/// <remarks>
/// Part: planes of codes, one per stage, first stage first (see <see cref="CodePlane"/>), then 64 scale bytes. A slot is its
/// codes and its scale byte, so slots move, and dropping stages drops planes.
/// </remarks>
internal sealed unsafe class CommVqCodec : IKvCodec
{
    // Sums by code and sums by slot differ in order only; measured 2e-6 of the largest value.
    private const float HistogramTolerance = 2e-5f;

    private readonly CommVqTables _tables;
    private readonly CommVqShape _shape;
    private readonly bool _halved;
    private PartEncoder? _spare;

    private CommVqCodec(CommVqTables tables, bool halved, CommVqArm arm)
    {
        (Id, Name) = halved ? (CodecId.CommVq1, "commvq1") : (arm.Id, arm.Name);
        CommVqShape shape = tables.Setup.Books.Shape;
        _tables = tables;
        _halved = halved;
        _shape = halved ? shape with { KeyStages = shape.KeyStages / 2, ValueStages = shape.ValueStages / 2 } : shape;
    }

    public CodecId Id { get; }

    public string Name { get; }

    public bool RowsMove => true;

    // Measured against int8: 10.6 us a row against 0.13 with 16 levels, 25 to 39 us with more.
    public double EncodeWeight => (_shape.ValueLevels == 16 && _shape.KeyLevels == 16 ? 80 : 240) / (_halved ? 2 : 1);

    public float AttendTolerance => _tables.Setup.HistogramValues ? HistogramTolerance : 0f;

    /// <summary>Levels and stages of this codec.</summary>
    public CommVqShape Shape => _shape;

    /// <summary>Makes both codecs of a cache over one set of tables.</summary>
    /// <exception cref="ArgumentException">The stages cannot be halved, the books are untied, or books and frequencies do not fit.</exception>
    public static (CommVqCodec Two, CommVqCodec One) Make(CommVqSetup setup)
    {
        CommVqShape shape = setup.Books.Shape;
        if (!setup.Books.Keys[0].IsTied)
        {
            throw new ArgumentException("The codecs of a ladder take tied codebooks; untied ones are arms for comparison.", nameof(setup));
        }
        if (shape.KeyStages % 2 != 0 || shape.ValueStages % (2 * shape.ValuePlaneStages) != 0)
        {
            throw new ArgumentException($"commvq1 takes half the planes of commvq2, so their number is even; this is {shape}.");
        }
        var tables = new CommVqTables(setup);
        return (new CommVqCodec(tables, halved: false, CommVqArm.None), new CommVqCodec(tables, halved: true, CommVqArm.None));
    }

    /// <summary>Makes the codec of an arm.</summary>
    /// <param name="arm">The arm.</param>
    /// <param name="setup">Its own books, with the model's frequencies.</param>
    /// <exception cref="ArgumentException">The books are tied and the arm is not or the reverse, or books and frequencies do not fit.</exception>
    public static CommVqCodec MakeArm(CommVqArm arm, CommVqSetup setup) => setup.Books.Keys[0].IsTied != arm.Tied
        ? throw new ArgumentException($"The arm {arm.Name} takes {(arm.Tied ? "tied" : "untied")} codebooks.", nameof(setup))
        : new CommVqCodec(new CommVqTables(arm.BeforeRope ? setup : setup with { Frequencies = [] }), halved: false, arm);

    public int PartBytes(KvSide side, UnitShape shape)
    {
        if (shape.HeadDim != _tables.Setup.Books.HeadDim)
        {
            throw new ArgumentException($"The books are for heads of {_tables.Setup.Books.HeadDim} channels, not {shape.HeadDim}.");
        }
        return PlaneBytes(side) + KvShape.PageTokens;
    }

    // Both codecs share the tables; the one of all stages pays.
    public long ModelBytes(KvSide side) => _halved ? 0 : _tables.Bytes(side);

    // The encoder's buffers are each codec's own.
    public long ScratchBytes(KvSide side, UnitShape shape) =>
        ModelBytes(side) + (side == KvSide.Keys ? PartEncoder.Bytes(_shape, shape.HeadDim, _tables.Setup.Beam) : 0);

    public int BlockScratchBytes(KvSide side, int rows, int headDim)
    {
        if (side == KvSide.Keys)
        {
            return Transposition.Block * PairLayout.Width(headDim) * sizeof(float);
        }
        return _tables.Setup.HistogramValues ? ValueHistogram.Bytes(_shape, rows) : 0;
    }

    // Learned codewords promise nothing for a single row.
    public float ErrorBound(KvSide side, float rowMagnitude) => float.PositiveInfinity;

    public double Ceiling(KvSide side, int head) => _tables.Setup.Residuals is { } residuals
        ? residuals.Median(side, head, _halved) * _tables.Setup.GuardFactor
        : double.PositiveInfinity;

    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        part[..PartBytes(side, site.Shape)].Clear();
        // One encoder is kept; callers at the same time make their own.
        PartEncoder encoder = Interlocked.Exchange(ref _spare, null) ?? new PartEncoder(_tables, _shape);
        bool finite = encoder.Encode(side, rows, site, part);
        Volatile.Write(ref _spare, encoder);
        return finite;
    }

    public void Decode(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(part.Length, PartBytes(side, site.Shape));
        switch (VectorPaths.Best)
        {
            case VectorPath.Lanes16:
                Decode<Lanes16, System.Runtime.Intrinsics.Vector512<float>>(side, part, site, rows);
                break;
            case VectorPath.Lanes8:
                Decode<Lanes8, System.Runtime.Intrinsics.Vector256<float>>(side, part, site, rows);
                break;
            default:
                Decode<ScalarLanes, float>(side, part, site, rows);
                break;
        }
    }

    public int Truncate(KvSide side, Span<byte> part, UnitShape shape, int slots) => slots;

    public void CopySlot(KvSide side, SlotMove move, UnitShape shape)
    {
        int bits = side == KvSide.Keys ? _shape.KeyPlaneBits : _shape.ValuePlaneBits;
        int bytes = CodePlane.Bytes(bits);
        int end = PlaneBytes(side);
        for (int plane = 0; plane < end; plane += bytes)
        {
            int code = CodePlane.Read(move.From.Slice(plane, bytes), bits, move.FromSlot);
            CodePlane.Write(move.To.Slice(plane, bytes), bits, move.ToSlot, code);
        }
        move.To[end + move.ToSlot] = move.From[end + move.FromSlot];
    }

    // At least 4 bits an element: coarser sources lose too much (normalised error 0.133 from 2 bits, 0.045 from 4).
    public bool Accepts(CodecId source) => source is CodecId.F16 or CodecId.F32 or CodecId.Int8 or CodecId.Int4 or CodecId.Int4Plain
        || (_halved && source == CodecId.CommVq2);

    public bool TryConvert(KvSide side, CodecId from, ReadOnlySpan<byte> source, Span<byte> part, UnitShape shape)
    {
        if (!_halved || from != CodecId.CommVq2)
        {
            return false;
        }
        // Stages are nested: the first half of the planes, and the scales.
        int kept = PlaneBytes(side);
        source[..kept].CopyTo(part);
        source.Slice(2 * kept, KvShape.PageTokens).CopyTo(part[kept..]);
        return true;
    }

    public byte* Data(KvSide side, int head) => side == KvSide.Keys ? (byte*)_tables.Keys(head, _halved) : (byte*)_tables.Values(head, _halved);

    public IUnitAttend AttendWith(IKvCodec values, VectorPath path) => values.AttendBehind<CommVqKeys>(path);

    public IUnitAttend AttendBehind<TKeys>(VectorPath path)
        where TKeys : struct, IKeyReader => _tables.Setup.HistogramValues
            ? UnitAttend.Make<TKeys, CommVqHistogramValues>(path)
            : UnitAttend.Make<TKeys, CommVqTileValues>(path);

    internal void Decode<TL, TV>(KvSide side, ReadOnlySpan<byte> part, in PartSite site, Span<float> rows)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        int headDim = site.Shape.HeadDim;
        int slots = rows.Length / headDim;
        // Reads stay in the part, whose length the caller checked; writes in rows.
        fixed (byte* bytes = part)
        fixed (float* target = rows)
        {
            if (side == KvSide.Values)
            {
                ValueRows<TL, TV>.Decode(_tables.Values(site.Head, _halved), bytes, slots, target);
                return;
            }
            KeyHead* head = _tables.Keys(site.Head, _halved);
            float* split = stackalloc float[head->Width];
            for (int slot = 0; slot < slots; slot++)
            {
                KeyRows<TL, TV>.Decode(head, bytes, (slot, site.Position(slot)), split);
                PairLayout.Join(new ReadOnlySpan<float>(split, head->Width), rows.Slice(slot * headDim, headDim));
            }
        }
    }

    private int PlaneBytes(KvSide side) => side == KvSide.Keys
        ? _shape.KeyStages * CodePlane.Bytes(_shape.KeyPlaneBits)
        : _shape.ValueStages / _shape.ValuePlaneStages * CodePlane.Bytes(_shape.ValuePlaneBits);
}
