using Concertina.Compute.Attention;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Reads and writes head pages during a step: the only code of the cache that the runner's threads enter.</summary>
internal sealed unsafe class PageAccess
{
    private readonly KvShape _shape;
    private readonly PageFormat _format;
    private readonly UnitTable _units;
    private readonly ExtentArena _arena;
    private readonly int[] _keyBytes;

    public PageAccess(KvShape shape, PageFormat format, UnitTable units, ExtentArena arena)
    {
        _shape = shape;
        _format = format;
        _units = units;
        _arena = arena;
        _keyBytes = new int[CodecCatalog.LastId + 1];
        foreach (IKvCodec codec in CodecCatalog.All)
        {
            _keyBytes[(int)codec.Id] = codec.PartBytes(KvSide.Keys, format.Shape);
        }
    }

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
                UnitHandle unit = table.Unit((layer * _shape.KvHeadCount) + head, position / KvShape.PageTokens);
                int first = (done * _shape.KvHeadCount * _shape.HeadDim) + (head * _shape.HeadDim);
                WritePage(unit, rows, first, new SlotRange(slot, slot + count));
            }
            done += count;
        }
    }

    /// <summary>Where a unit lies, for the attention loop.</summary>
    /// <returns>Index of its codec pair.</returns>
    public int View(UnitHandle unit, out UnitView view)
    {
        byte* start = _arena.Start;
        UnitEntry* entry = _units.Peek(unit);
        view.Keys = start + entry->Offset;
        view.Values = view.Keys + _keyBytes[entry->KeyCodec];
        view.Start = entry->Start;
        view.IsFinite = (entry->Flags & UnitFlags.NonFinite) == 0;
        return (entry->KeyCodec * (CodecCatalog.LastId + 1)) + entry->ValueCodec;
    }

    /// <summary>Reads the slots of a page back, [slots, headDim]; as many as the spans have room for.</summary>
    public void Decode(UnitHandle unit, Span<float> keys, Span<float> values)
    {
        UnitEntry entry = _units.Entry(unit);
        IKvCodec keyCodec = CodecCatalog.Get((CodecId)entry.KeyCodec);
        IKvCodec valueCodec = CodecCatalog.Get((CodecId)entry.ValueCodec);
        int keyBytes = keyCodec.PartBytes(KvSide.Keys, _format.Shape);
        int valueBytes = valueCodec.PartBytes(KvSide.Values, _format.Shape);
        // Both parts lie inside the unit: its size class was made for their sum.
        keyCodec.Decode(KvSide.Keys, new ReadOnlySpan<byte>(_units.Bytes(unit), keyBytes), _format.Shape, keys);
        valueCodec.Decode(KvSide.Values, new ReadOnlySpan<byte>(_units.Bytes(unit) + keyBytes, valueBytes), _format.Shape, values);
    }

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
