using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Eviction.Planning;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// Compacts one head: surviving slots move forward, units at the end of the region are freed. All or nothing. Units that
/// others refer to are replaced by copies before anything is written to them.
/// </summary>
internal sealed unsafe class HeadCompactor(ColumnStore columns, UnitTable units, UnitSlots slots)
{
    private const int First = Squeezer.SinkColumns;

    /// <summary>Compacts the job's present head.</summary>
    /// <param name="job">A job whose choice is made.</param>
    /// <param name="charge">Bytes moved.</param>
    /// <returns>False, with nothing changed, when the bytes of a copy cannot be had.</returns>
    public bool TryCompact(EvictionJob job, out long charge)
    {
        PageTable table = job.Table;
        int head = job.Head;
        charge = 0;
        ReadOnlySpan<ushort> ranks = job.Ranks;
        CompactionPlan plan = CompactionPlan.Make(ranks, job.Taken[head], KvShape.PageTokens, job.Memory.Survivors);
        ReadPositions(job);
        int kept = job.Units(head) - plan.FreedPages;
        if (!FitsOffsets(plan, job.Memory.Positions))
        {
            return true;
        }
        int firstChanged = plan.FirstMoved / KvShape.PageTokens;
        if (!TryOwn(job, firstChanged, kept))
        {
            return false;
        }
        table.MarkEvicted(job.Columns);
        for (int page = firstChanged; page < kept; page++)
        {
            FillPage(job, plan, page);
        }
        charge = (long)(kept - firstChanged) * job.To.UnitBytes;
        Free(job, kept, plan.FreedPages);
        table.Eviction.Slots += ranks.Length - plan.Survivors.Length;
        return true;
    }

    private void ReadPositions(EvictionJob job)
    {
        for (int page = 0; page < job.Units(job.Head); page++)
        {
            UnitHandle unit = job.Table.Unit(job.Head, First + page);
            slots.Positions(job.Table, job.Head, unit, job.Memory.Positions[(page * KvShape.PageTokens)..]);
        }
    }

    // Offsets have 16 bits. A page whose survivors span more than that is met only far beyond 65536 tokens; its head is
    // then left as it is.
    private static bool FitsOffsets(in CompactionPlan plan, ReadOnlySpan<int> positions)
    {
        for (int first = 0; first < plan.Survivors.Length; first += KvShape.PageTokens)
        {
            int last = Math.Min(first + KvShape.PageTokens, plan.Survivors.Length) - 1;
            if (positions[plan.Survivors[last]] - positions[plan.Survivors[first]] > ushort.MaxValue)
            {
                return false;
            }
        }
        return true;
    }

    // All copies are made before the first takes its place, so that a lack of bytes changes nothing.
    private bool TryOwn(EvictionJob job, int from, int to)
    {
        PageTable table = job.Table;
        int count = 0;
        for (int page = from; page < to; page++)
        {
            if (units.Entry(table.Unit(job.Head, First + page)).References == 1)
            {
                continue;
            }
            if (!columns.TryAllocateFromReserve(job.To.SizeClass, out job.Memory.Copies[count]))
            {
                columns.ReleaseAll(new ReadOnlySpan<UnitHandle>(job.Memory.Copies, count));
                return false;
            }
            count++;
        }
        // Making room drops prefix columns that no table refers to, so what was shared still is.
        for (int page = from, copy = 0; copy < count; page++)
        {
            if (units.Entry(table.Unit(job.Head, First + page)).References > 1)
            {
                Replace(job, page, job.Memory.Copies[copy++]);
            }
        }
        return true;
    }

    private void Replace(EvictionJob job, int page, UnitHandle copy)
    {
        UnitHandle shared = job.Table.Unit(job.Head, First + page);
        ref UnitEntry from = ref units.Entry(shared);
        ref UnitEntry to = ref units.Entry(copy);
        to.Kind = from.Kind;
        (to.KeyCodec, to.ValueCodec) = (from.KeyCodec, from.ValueCodec);
        (to.Start, to.FilledCount) = (from.Start, from.FilledCount);
        to.Flags = from.Flags & (UnitFlags.Sealed | UnitFlags.Gapped | UnitFlags.NonFinite);
        Buffer.MemoryCopy(units.Bytes(shared), units.Bytes(copy), job.To.UnitBytes, job.To.UnitBytes);
        job.Table.Replace(job.Head, First + page, copy);
        units.Release(shared);
    }

    // Sources lie at or behind their targets, so a page that was filled is no source any more.
    private void FillPage(EvictionJob job, in CompactionPlan plan, int page)
    {
        PageFormat format = job.To.Page;
        UnitHandle target = job.Table.Unit(job.Head, First + page);
        ref UnitEntry entry = ref units.Entry(target);
        int first = page * KvShape.PageTokens;
        int count = Math.Min(KvShape.PageTokens, plan.Survivors.Length - first);
        for (int slot = 0; slot < count; slot++)
        {
            int from = plan.Survivors[first + slot];
            if (from != first + slot)
            {
                UnitHandle source = job.Table.Unit(job.Head, First + (from / KvShape.PageTokens));
                CopySlot(format, Bytes(source, format), from % KvShape.PageTokens, new SlotTarget(Bytes(target, format), slot));
                entry.Flags |= units.Entry(source).Flags & UnitFlags.NonFinite;
            }
        }
        int start = job.Memory.Positions[plan.Survivors[first]];
        var bytes = new Span<byte>(units.Bytes(target), job.To.UnitBytes);
        Span<ushort> offsets = MemoryMarshal.Cast<byte, ushort>(bytes[format.OffsetStart..format.GappedBytes]);
        offsets.Clear();
        for (int slot = 0; slot < count; slot++)
        {
            offsets[slot] = (ushort)(job.Memory.Positions[plan.Survivors[first + slot]] - start);
        }
        (entry.Start, entry.FilledCount) = (start, (ushort)count);
        entry.Flags = (entry.Flags & UnitFlags.NonFinite) | UnitFlags.Sealed | UnitFlags.Gapped;
    }

    private Span<byte> Bytes(UnitHandle unit, PageFormat format) => new(units.Bytes(unit), format.PageBytes);

    private static void CopySlot(PageFormat format, ReadOnlySpan<byte> from, int slot, SlotTarget to)
    {
        int keys = format.KeyBytes;
        format.KeyCodec.CopySlot(KvSide.Keys, new SlotMove(from[..keys], slot, to.Page[..keys], to.Slot), format.Shape);
        format.ValueCodec.CopySlot(KvSide.Values, new SlotMove(from[keys..], slot, to.Page[keys..], to.Slot), format.Shape);
    }

    private void Free(EvictionJob job, int kept, int count)
    {
        PageTable table = job.Table;
        long bytes = 0;
        for (int page = kept; page < kept + count; page++)
        {
            UnitHandle unit = table.Unit(job.Head, First + page);
            bytes += units.StrideBytes(unit);
            units.Release(unit);
        }
        // A sweep that goes on in this list stands behind the region.
        ref SweepState sweep = ref table.Sweep;
        if (sweep.Limit > 0 && sweep.Head == job.Head && sweep.Index >= First + kept + count)
        {
            sweep.Index -= count;
        }
        table.RemoveRange(job.Head, First + kept, count, bytes);
        columns.TrimLists(table);
    }

    private readonly ref struct SlotTarget(Span<byte> page, int slot)
    {
        public Span<byte> Page { get; } = page;

        public int Slot { get; } = slot;
    }
}
