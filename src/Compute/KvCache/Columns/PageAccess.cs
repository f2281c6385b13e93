using Concertina.Compute.Attention;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Eviction;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Reads and writes units during a step: the only code of the cache that the runner's threads enter.</summary>
internal sealed unsafe class PageAccess
{
    private readonly KvShape _shape;
    private readonly PageFormat _format;
    private readonly UnitTable _units;
    private readonly ExtentArena _arena;
    private readonly CodecSet _codecs;
    private readonly int[] _keyBytes = new int[CodecSet.IdLimit];
    private readonly int[] _valueBytes = new int[CodecSet.IdLimit];
    private readonly UnitShape[] _shapes = new UnitShape[CodecSet.IdLimit];
    private readonly nint[] _keyData;
    private readonly nint[] _valueData;

    public PageAccess(KvShape shape, PageFormat format, CodecSet codecs, UnitTable units, ExtentArena arena)
    {
        _shape = shape;
        _format = format;
        _codecs = codecs;
        _units = units;
        _arena = arena;
        _keyData = new nint[CodecSet.IdLimit * shape.HeadCount];
        _valueData = new nint[CodecSet.IdLimit * shape.HeadCount];
        foreach (IKvCodec codec in codecs.All)
        {
            var unit = UnitShape.For(codec.Kind, shape, codec.PageCount);
            _shapes[(int)codec.Id] = unit;
            _keyBytes[(int)codec.Id] = codec.PartBytes(KvSide.Keys, unit);
            _valueBytes[(int)codec.Id] = codec.PartBytes(KvSide.Values, unit);
            for (int head = 0; head < shape.HeadCount; head++)
            {
                _keyData[((int)codec.Id * shape.HeadCount) + head] = (nint)codec.Data(KvSide.Keys, head);
                _valueData[((int)codec.Id * shape.HeadCount) + head] = (nint)codec.Data(KvSide.Values, head);
            }
        }
    }

    /// <summary>Heap bytes it keeps.</summary>
    public static long FixedBytes(KvShape shape) =>
        CodecSet.IdLimit * ((2L * sizeof(int)) + sizeof(UnitShape) + (2L * shape.HeadCount * nint.Size));

    /// <summary>Name of the codec that rows are written with.</summary>
    public string Codec => _format.KeyCodec.Name;

    /// <summary>Bits per stored value in that form, with what the codec keeps beside the values.</summary>
    public double BitsPerValue => _format.PageBytes * 8.0 / (2 * KvShape.PageTokens * _shape.HeadDim);

    /// <summary>Stores rows whose slots are reserved, page by page, in the open page's format.</summary>
    public void Write(PageTable table, int layer, in KvRows rows)
    {
        int done = 0;
        while (done < rows.RowCount)
        {
            int position = rows.FirstPosition + done;
            int slot = position % KvShape.PageTokens;
            int count = Math.Min(KvShape.PageTokens - slot, rows.RowCount - done);
            for (int head = 0; head < _shape.KvHeadCount; head++)
            {
                UnitHandle unit = table.UnitOf((layer * _shape.KvHeadCount) + head, position / KvShape.PageTokens);
                int first = (done * _shape.KvHeadCount * _shape.HeadDim) + (head * _shape.HeadDim);
                WritePage(unit, rows, first, new SlotRange(slot, slot + count));
            }
            done += count;
        }
        for (int row = 0; row < rows.RowCount && !rows.Decisions.IsEmpty && _format.DecisionBytes > 0; row++)
        {
            Decide(table, layer, rows.FirstPosition + row - 1, rows.Decisions.Slice(row * _shape.KvHeadCount, _shape.KvHeadCount));
        }
    }

    // A row decides of the token before it. A column that others share keeps no decision on its last token: with other tokens after
    // it, there would be another.
    private void Decide(PageTable table, int layer, int position, ReadOnlySpan<float> logits)
    {
        int column = position / KvShape.PageTokens;
        for (int head = 0; position >= 0 && column >= table.EvictedColumns && head < logits.Length; head++)
        {
            UnitHandle unit = table.UnitOf((layer * _shape.KvHeadCount) + head, column);
            ref readonly UnitEntry entry = ref _units.Entry(unit);
            if (entry.References == 1 && (entry.Flags & UnitFlags.Gapped) == 0 && entry.Kind == UnitKind.HeadPage)
            {
                Decisions(unit)[position % KvShape.PageTokens] = SlotDecision.Of(logits[head]);
            }
        }
    }

    /// <summary>Bytes of a unit that mean something: both parts, the decisions on its slots, and the offsets of one with gaps. The rest of its slot does not.</summary>
    public int UnitBytes(in UnitEntry entry) => entry.Flags.HasFlag(UnitFlags.Gapped)
        ? OffsetStart(entry.KeyCodec, entry.ValueCodec) + PageFormat.OffsetBytes
        : _keyBytes[entry.KeyCodec] + _valueBytes[entry.ValueCodec] + DecisionBytes(entry);

    /// <summary>Copies a unit's first slots, and nothing of what its other slots held before.</summary>
    /// <param name="unit">A unit without gaps.</param>
    /// <param name="slots">Slots to copy.</param>
    /// <param name="copy">Receives <see cref="UnitBytes"/>.</param>
    public void CopySlots(UnitHandle unit, int slots, Span<byte> copy)
    {
        UnitEntry entry = _units.Entry(unit);
        copy.Clear();
        (IKvCodec keys, IKvCodec values) = (_codecs.Get((CodecId)entry.KeyCodec), _codecs.Get((CodecId)entry.ValueCodec));
        int keyBytes = _keyBytes[entry.KeyCodec];
        // Both parts lie inside the unit: its size class was made for their sum.
        var bytes = new ReadOnlySpan<byte>(_units.Bytes(unit), copy.Length);
        for (int slot = 0; slot < slots; slot++)
        {
            keys.CopySlot(KvSide.Keys, new SlotMove(bytes[..keyBytes], slot, copy[..keyBytes], slot), _format.Shape);
            values.CopySlot(KvSide.Values, new SlotMove(bytes[keyBytes..], slot, copy[keyBytes..], slot), _format.Shape);
        }
        Span<byte> decisions = Decisions(unit);
        decisions[..Math.Min(slots, decisions.Length)].CopyTo(copy[(keyBytes + _valueBytes[entry.ValueCodec])..]);
    }

    /// <summary>Where a place of a list lies, for the attention loop.</summary>
    /// <param name="unit">A unit of the head's list.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the list.</param>
    /// <param name="view">The view.</param>
    /// <returns>Index of its codec pair.</returns>
    public int View(UnitHandle unit, int head, int index, out UnitView view)
    {
        byte* start = _arena.Start;
        UnitEntry* entry = _units.Peek(unit);
        int keyCodec = entry->KeyCodec;
        int valueCodec = entry->ValueCodec;
        bool gapped = (entry->Flags & UnitFlags.Gapped) != 0;
        view.Keys = start + entry->Offset;
        view.Values = view.Keys + _keyBytes[keyCodec];
        view.KeyData = (byte*)_keyData[(keyCodec * _shape.HeadCount) + head];
        view.ValueData = (byte*)_valueData[(valueCodec * _shape.HeadCount) + head];
        view.Page = UnitPlaces.PageOf(index, *entry);
        view.Head = head % _shapes[keyCodec].HeadCount;
        view.Start = entry->Start + (view.Page * KvShape.PageTokens);
        view.Offsets = gapped ? (ushort*)(view.Keys + OffsetStart(keyCodec, valueCodec)) : null;
        view.Slots = gapped ? entry->FilledCount : KvShape.PageTokens;
        view.IsFinite = (entry->Flags & UnitFlags.NonFinite) == 0;
        return CodecSet.Pair(keyCodec, valueCodec);
    }

    /// <summary>Reads the slots of a place of a list back, [slots, headDim]; as many as the spans have room for.</summary>
    /// <param name="table">The table.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the head's list.</param>
    /// <param name="keys">Receives keys after RoPE.</param>
    /// <param name="values">Receives values.</param>
    public void Decode(PageTable table, int head, int index, Span<float> keys, Span<float> values)
    {
        UnitHandle unit = table.Unit(head, index);
        UnitEntry entry = _units.Entry(unit);
        PartSite site = Site(unit, head, UnitPlaces.PageOf(index, entry));
        _codecs.Get((CodecId)entry.KeyCodec).Decode(KvSide.Keys, Part(unit, KvSide.Keys), site, keys);
        _codecs.Get((CodecId)entry.ValueCodec).Decode(KvSide.Values, Part(unit, KvSide.Values), site, values);
    }

    /// <summary>What units of a codec of this cache cover.</summary>
    public UnitShape ShapeOf(byte codec) => _shapes[codec];

    /// <summary>One side of a unit; valid until the next allocation, which may move units.</summary>
    public ReadOnlySpan<byte> Part(UnitHandle unit, KvSide side)
    {
        ref readonly UnitEntry entry = ref _units.Entry(unit);
        byte* bytes = _units.Bytes(unit);
        // Both parts lie inside the unit: its size class was made for their sum.
        return side == KvSide.Keys
            ? new ReadOnlySpan<byte>(bytes, _keyBytes[entry.KeyCodec])
            : new ReadOnlySpan<byte>(bytes + _keyBytes[entry.KeyCodec], _valueBytes[entry.ValueCodec]);
    }

    /// <summary>Where a page of a unit belongs; valid until the next allocation, which may move units.</summary>
    public PartSite Site(UnitHandle unit, int head, int page = 0)
    {
        UnitEntry entry = _units.Entry(unit);
        ReadOnlySpan<ushort> offsets = default;
        if (entry.Flags.HasFlag(UnitFlags.Gapped))
        {
            offsets = new ReadOnlySpan<ushort>(_units.Bytes(unit) + OffsetStart(entry.KeyCodec, entry.ValueCodec), KvShape.PageTokens);
        }
        return new PartSite(_shapes[entry.KeyCodec], head, entry.Start, offsets) { Page = page };
    }

    /// <summary>What the model decided of a head page's slots, a byte each (<see cref="SlotDecision"/>); empty where none is kept. Valid until the next allocation.</summary>
    public Span<byte> Decisions(UnitHandle unit)
    {
        ref readonly UnitEntry entry = ref _units.Entry(unit);
        // They follow the parts: a head page's size class was made for both.
        return new Span<byte>(_units.Bytes(unit) + _keyBytes[entry.KeyCodec] + _valueBytes[entry.ValueCodec], DecisionBytes(entry));
    }

    private int DecisionBytes(in UnitEntry entry) => entry.Kind == UnitKind.HeadPage ? _format.DecisionBytes : 0;

    private int OffsetStart(int keyCodec, int valueCodec) => (_keyBytes[keyCodec] + _valueBytes[valueCodec] + _format.DecisionBytes + 1) & ~1;

    private void WritePage(UnitHandle unit, in KvRows rows, int first, SlotRange slots)
    {
        ref UnitEntry entry = ref _units.Entry(unit);
        if (entry.References != 1)
        {
            throw new InvalidOperationException(
                $"The page at position {entry.Start} is shared by {entry.References} holders and so immutable; it cannot take rows.");
        }
        var page = new Span<byte>(_units.Bytes(unit), _format.PageBytes);
        int stride = _shape.KvHeadCount * _shape.HeadDim;
        int count = slots.To - slots.From;
        var keys = new SlotRows(rows.Keys[first..], stride, slots.From, count);
        var values = new SlotRows(rows.Values[first..], stride, slots.From, count);
        bool finite = _format.KeyCodec.Store(KvSide.Keys, keys, _format.Shape, page[.._format.KeyBytes]);
        finite &= _format.ValueCodec.Store(KvSide.Values, values, _format.Shape, page[_format.KeyBytes..]);
        if (!finite)
        {
            entry.Flags |= UnitFlags.NonFinite;
        }
    }
}
