using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>
/// Stores one head page of a table anew as a head page of a rung. Atomic: the table refers to the old unit until the new one is
/// complete. A shared unit is left to the others. Engine thread only, between steps.
/// </summary>
internal sealed unsafe class PageTranscoder(ColumnStore columns, UnitTable units, PageAccess pages, CodecSet codecs, KvShape shape)
{
    private readonly float[] _rows = new float[KvShape.PageTokens * shape.HeadDim];
    private readonly float[] _decoded = new float[KvShape.PageTokens * shape.HeadDim];

    /// <summary>Heap bytes it keeps.</summary>
    public static long ScratchBytes(KvShape shape) => 2L * KvShape.PageTokens * shape.HeadDim * sizeof(float);

    /// <summary>Whether a unit would change on its way to a rung.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="to">The rung.</param>
    /// <param name="committed">The rung whose bytes its table is promised.</param>
    public bool IsPending(UnitHandle unit, RungFormat to, RungFormat committed)
    {
        ref UnitEntry entry = ref units.Entry(unit);
        if (entry.Flags.HasFlag(UnitFlags.Guarded) && IsCovered(unit, to, committed))
        {
            return false;
        }
        // A gapped page has offsets only where its new unit has room for them.
        if (entry.Flags.HasFlag(UnitFlags.Stays) || (entry.Flags.HasFlag(UnitFlags.Gapped) && !to.Evicts) || (to.Page.Holds(entry) && entry.SizeClass == to.SizeClass))
        {
            return false;
        }
        return to.Accepts(entry);
    }

    /// <summary>Moves one unit of a list.</summary>
    /// <param name="table">Table that refers to it.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <param name="index">Index in the list.</param>
    /// <param name="to">Format it gets.</param>
    /// <param name="committed">
    /// Format whose bytes the table is promised. A unit that would lose more than its ceiling keeps its form if that is no
    /// larger, or else gets this one; where the promise is of the rung itself, memory wins.
    /// </param>
    public TranscodeResult Move(PageTable table, int head, int index, RungFormat to, RungFormat committed)
    {
        UnitHandle from = table.Unit(head, index);
        if (!IsPending(from, to, committed))
        {
            return TranscodeResult.Stays;
        }
        if (!columns.TryAllocateFromReserve(to.SizeClass, out UnitHandle unit))
        {
            return TranscodeResult.NoRoom;
        }
        ref UnitEntry source = ref units.Entry(from);
        ref UnitEntry target = ref units.Entry(unit);
        units.SetForm(ref target, UnitKind.HeadPage, (byte)to.Page.KeyCodec.Id, (byte)to.Page.ValueCodec.Id);
        target.Start = source.Start;
        target.FilledCount = source.FilledCount;
        target.Flags = source.Flags & (UnitFlags.Sealed | UnitFlags.Gapped | UnitFlags.NonFinite);
        PartOutcome outcome = Copy(from, unit, head, to, guarded: IsGuarding(to, committed));
        if (outcome != PartOutcome.Stored)
        {
            source.Flags |= outcome == PartOutcome.NotFinite ? UnitFlags.Stays : UnitFlags.Guarded;
            units.Release(unit);
            return outcome == PartOutcome.NotFinite ? TranscodeResult.Stays
                : IsCovered(from, to, committed) ? TranscodeResult.Guarded
                : MoveToCommitted(table, head, index, committed);
        }
        table.Replace(head, index, unit, units.StrideBytes(unit) - units.StrideBytes(from));
        table.ExactTokens = Math.Min(table.ExactTokens, target.Start / KvShape.PageTokens * KvShape.PageTokens);
        units.Release(from);
        return TranscodeResult.Moved;
    }

    /// <summary>Work of moving one page of one head: bytes of the sides that are encoded, times the weight of their codecs.</summary>
    public long Charge(in UnitEntry from, RungFormat to)
    {
        double charge = SideCharge(KvSide.Keys, from.KeyCodec, to.Page.KeyCodec) + SideCharge(KvSide.Values, from.ValueCodec, to.Page.ValueCodec);
        return (long)Math.Ceiling(charge);
    }

    /// <summary>Work of moving an open page, the largest form there is, to a rung.</summary>
    public long DearestCharge(RungFormat to) => Charge(
        new UnitEntry { KeyCodec = (byte)columns.Format.KeyCodec.Id, ValueCodec = (byte)columns.Format.ValueCodec.Id }, to);

    private double SideCharge(KvSide side, byte from, IKvCodec to) =>
        PageBytes(side, from) * ((byte)to.Id == from ? 1 : Math.Max(1, to.EncodeWeight));

    // Of one page of one head.
    private double PageBytes(KvSide side, byte codec)
    {
        IKvCodec from = codecs.Get((CodecId)codec);
        var unit = UnitShape.For(from.Kind, shape, from.PageCount);
        return (double)from.PartBytes(side, unit) / (unit.HeadCount * unit.PageCount);
    }

    // Eviction needs all units of a table in the rung's own form, and a page alone cannot become part of a larger unit.
    private static bool IsGuarding(RungFormat to, RungFormat committed) =>
        !to.Evicts && !committed.Evicts && to != committed && committed.Page.Shape.Kind == UnitKind.HeadPage;

    private bool IsCovered(UnitHandle unit, RungFormat to, RungFormat committed) =>
        IsGuarding(to, committed) && units.StrideBytes(unit) <= SizeClass.For(committed.UnitBytes).StrideBytes;

    private TranscodeResult MoveToCommitted(PageTable table, int head, int index, RungFormat committed)
    {
        TranscodeResult result = Move(table, head, index, committed, committed);
        if (result != TranscodeResult.Moved)
        {
            return result;
        }
        units.Entry(table.Unit(head, index)).Flags |= UnitFlags.Guarded;
        return TranscodeResult.MovedToPromised;
    }

    private PartOutcome Copy(UnitHandle from, UnitHandle unit, int head, RungFormat to, bool guarded)
    {
        UnitEntry entry = units.Entry(from);
        IKvCodec keys = codecs.Get((CodecId)entry.KeyCodec);
        IKvCodec values = codecs.Get((CodecId)entry.ValueCodec);
        int keyBytes = keys.PartBytes(KvSide.Keys, to.Page.Shape);
        int valueBytes = values.PartBytes(KvSide.Values, to.Page.Shape);
        // Both units have the size of their class, which was made for both parts.
        var old = new ReadOnlySpan<byte>(units.Bytes(from), keyBytes + valueBytes);
        var page = new Span<byte>(units.Bytes(unit), to.UnitBytes);
        PartSite site = pages.Site(from, head);
        MemoryMarshal.AsBytes(site.Offsets).CopyTo(page[Math.Min(to.Page.OffsetStart, page.Length)..]);
        pages.Decisions(from).CopyTo(page[to.Page.PageBytes..]);
        Span<float> rows = _rows.AsSpan(0, entry.FilledCount * shape.HeadDim);
        Span<float> decoded = guarded ? _decoded.AsSpan(0, rows.Length) : default;
        PartOutcome outcome = new PartMove(KvSide.Keys, keys, old[..keyBytes], to.Page.KeyCodec, page[..to.Page.KeyBytes]).Run(site, rows, decoded);
        return outcome != PartOutcome.Stored
            ? outcome
            : new PartMove(KvSide.Values, values, old[keyBytes..], to.Page.ValueCodec, page[to.Page.KeyBytes..to.Page.PageBytes]).Run(site, rows, decoded);
    }
}
