using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.KvCache.Codecs.CommVq.Encoding;

/// <summary>Encodes parts, stage by stage for all slots of the page, with buffers of its own. Not thread-safe.</summary>
internal sealed unsafe class PartEncoder
{
    private readonly CommVqTables _tables;
    private readonly CommVqShape _shape;
    private readonly BeamEncoder _keys;
    private readonly BeamEncoder _values;
    private readonly PairStage _keyStage;
    private readonly PairStage _valueStage;
    private readonly float[] _split;
    private readonly float[] _second;
    private readonly int[] _codes;
    private readonly bool[] _empty = new bool[KvShape.PageTokens];

    /// <param name="tables">Books.</param>
    /// <param name="shape">Stages it writes; not more than the books have.</param>
    public PartEncoder(CommVqTables tables, CommVqShape shape)
    {
        int headDim = tables.Setup.Books.HeadDim;
        int width = PairLayout.Width(headDim);
        int beam = tables.Setup.Beam;
        _tables = tables;
        _shape = shape;
        _keys = new BeamEncoder(KvShape.PageTokens, width, beam, shape.KeyStages);
        _values = new BeamEncoder(KvShape.PageTokens, headDim, beam, ValuePlanes(shape));
        _keyStage = new PairStage(shape.KeyLevels, shape.KeyLevels, width);
        _valueStage = new PairStage(shape.ValueLevels == 16 ? 16 : 1, shape.ValueLevels, headDim);
        _split = new float[width];
        _second = new float[Math.Max(shape.KeyLevels * width, headDim)];
        _codes = new int[KvShape.PageTokens * Math.Max(shape.KeyStages, ValuePlanes(shape))];
    }

    /// <summary>Bytes of its buffers.</summary>
    public static long Bytes(CommVqShape shape, int headDim, int beam)
    {
        int width = PairLayout.Width(headDim);
        return BeamEncoder.BytesFor(KvShape.PageTokens, width, beam, shape.KeyStages)
            + BeamEncoder.BytesFor(KvShape.PageTokens, headDim, beam, ValuePlanes(shape))
            + PairStage.BytesFor(shape.KeyLevels, shape.KeyLevels, width)
            + PairStage.BytesFor(shape.ValueLevels == 16 ? 16 : 1, shape.ValueLevels, headDim)
            + PairStage.SearchBytes(shape.KeyLevels, shape.KeyLevels, beam)
            + PairStage.SearchBytes(shape.ValueLevels == 16 ? 16 : 1, shape.ValueLevels, beam)
            + (sizeof(float) * ((2L * width) + (shape.KeyLevels * width) + headDim))
            + (sizeof(int) * (long)KvShape.PageTokens * Math.Max(shape.KeyStages, ValuePlanes(shape)));
    }

    /// <summary>Writes a cleared part.</summary>
    /// <returns>False when a row is not finite; its slot then decodes to the mean.</returns>
    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        bool isKeys = side == KvSide.Keys;
        int planes = isKeys ? _shape.KeyStages : ValuePlanes(_shape);
        int planeBytes = CodePlane.Bytes(isKeys ? _shape.KeyPlaneBits : _shape.ValuePlaneBits);
        BeamEncoder beam = isKeys ? _keys : _values;
        int count = rows.Length / site.Shape.HeadDim;
        beam.Begin(count);
        Span<byte> scales = part.Slice(planes * planeBytes, KvShape.PageTokens);
        bool finite = isKeys ? FillKeys(rows, site, scales) : FillValues(rows, site, scales);
        for (int plane = 0; plane < planes; plane++)
        {
            beam.Step(isKeys ? LoadKeys(site.Head, plane) : LoadValues(site.Head, plane));
        }
        beam.Finish(_codes, default);
        int bits = isKeys ? _shape.KeyPlaneBits : _shape.ValuePlaneBits;
        for (int plane = 0; plane < planes; plane++)
        {
            for (int slot = 0; slot < count; slot++)
            {
                // By definition a slot without a norm has codes 0.
                int code = _empty[slot] ? 0 : _codes[(plane * count) + slot];
                CodePlane.Write(part.Slice(plane * planeBytes, planeBytes), bits, slot, code);
            }
        }
        return finite;
    }

    private static int ValuePlanes(CommVqShape shape) => shape.ValueStages / shape.ValuePlaneStages;

    private bool FillKeys(ReadOnlySpan<float> rows, in PartSite site, Span<byte> scales)
    {
        KeyHead* head = _tables.Keys(site.Head, halved: false);
        int headDim = site.Shape.HeadDim;
        bool finite = true;
        for (int slot = 0; slot < rows.Length / headDim; slot++)
        {
            PairLayout.Split(rows.Slice(slot * headDim, headDim), _split);
            _tables.Angles.TurnBack(site.Position(slot), _split);
            double norm = UnitVector.Make(_split, new ReadOnlySpan<float>(head->Mean, head->Width), _keys.Row(slot));
            finite &= Keep(norm, slot, scales);
        }
        return finite;
    }

    private bool FillValues(ReadOnlySpan<float> rows, in PartSite site, Span<byte> scales)
    {
        ValueHead* head = _tables.Values(site.Head, halved: false);
        int headDim = site.Shape.HeadDim;
        bool finite = true;
        for (int slot = 0; slot < rows.Length / headDim; slot++)
        {
            double norm = UnitVector.Make(rows.Slice(slot * headDim, headDim), new ReadOnlySpan<float>(head->Mean, headDim), _values.Row(slot));
            finite &= Keep(norm, slot, scales);
        }
        return finite;
    }

    private bool Keep(double norm, int slot, Span<byte> scales)
    {
        bool finite = double.IsFinite(norm);
        _empty[slot] = !finite || norm == 0;
        scales[slot] = finite ? ScaleByte.Encode(norm) : (byte)0;
        return finite;
    }

    private PairStage LoadKeys(int index, int stage)
    {
        KeyHead* head = _tables.Keys(index, halved: false);
        int length = head->Levels * head->Width;
        PairLayout.TimesI(new ReadOnlySpan<float>(head->Second + ((long)stage * length), length), _second, head->Width);
        _keyStage.Load(new ReadOnlySpan<float>(head->First + ((long)stage * length), length), _second);
        return _keyStage;
    }

    private PairStage LoadValues(int index, int plane)
    {
        ValueHead* head = _tables.Values(index, halved: false);
        int length = head->Levels * head->HeadDim;
        if (_shape.ValuePlaneStages == 2)
        {
            float* first = head->Rows + (2L * plane * length);
            _valueStage.Load(new ReadOnlySpan<float>(first, length), new ReadOnlySpan<float>(first + length, length));
            return _valueStage;
        }
        _second.AsSpan(0, head->HeadDim).Clear();
        _valueStage.Load(_second.AsSpan(0, head->HeadDim), new ReadOnlySpan<float>(head->Rows + ((long)plane * length), length));
        return _valueStage;
    }
}
