using System.Runtime.InteropServices;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.KvCache.Eviction;

/// <summary>
/// Compacts one head page by page: surviving slots move forward, each as far as the holes before it, so that positions keep
/// ascending, and pages that hold nothing any more are freed. After every page the head is whole: stopping there is safe.
/// Units that others refer to are replaced by copies before anything is written to them.
/// </summary>
/// <remarks>
/// The paper's two-pointer form moves fewer slots but loses the order, and with it the offsets of 16 bits and the search by
/// position. The set of survivors is the same.
/// </remarks>
internal sealed unsafe class HeadCompactor(ColumnStore columns, UnitTable units, UnitSlots slots)
{
    private const int First = Squeezer.SinkColumns;

    /// <summary>Pages that the slots of one page can be moved to: its own and the one before.</summary>
    private const int MostTargets = 2;

    private int _source; // next page to read, as the region was when the head was begun
    private int _freed; // pages freed since
    private int _target; // last page that holds something, by its present index
    private int _filled; // slots of that page
    private int _rank; // slots read

    /// <summary>True between the first page of a head and the last.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Most bytes that <see cref="TryAdvance"/> is charged beyond what it may be.</summary>
    /// <param name="unitBytes">Bytes of a unit of the rung.</param>
    public static long Overshoot(int unitBytes) => (KvShape.PageTokens * sizeof(ushort)) + ((1L + MostTargets) * unitBytes);

    /// <summary>Starts the job's present head.</summary>
    public void Begin()
    {
        IsOpen = true;
        (_source, _freed, _rank) = (0, 0, 0);
        (_target, _filled) = (-1, KvShape.PageTokens);
    }

    /// <summary>Forgets the head that is open; it stays as far as it came.</summary>
    public void Drop() => IsOpen = false;

    /// <summary>Compacts the next pages of the job's present head.</summary>
    /// <param name="job">A job whose choice is made.</param>
    /// <param name="most">Bytes after which it stops, at the end of a page.</param>
    /// <param name="charge">Bytes read and moved.</param>
    /// <returns>False when the bytes of a copy cannot be had; what was done before stays done.</returns>
    public bool TryAdvance(EvictionJob job, long most, out long charge)
    {
        charge = 0;
        bool room = true;
        while (room && charge < most && _source < job.Units(job.Head))
        {
            room = TryMovePage(job, ref charge);
        }
        Free(job);
        IsOpen = _source < job.Units(job.Head);
        return room;
    }

    private bool TryMovePage(EvictionJob job, ref long charge)
    {
        int page = _source - _freed;
        UnitHandle source = job.Table.Unit(job.Head, First + page);
        Span<int> positions = stackalloc int[KvShape.PageTokens];
        int count = slots.Positions(job.Table, job.Head, source, positions);
        Span<byte> survivors = stackalloc byte[KvShape.PageTokens];
        survivors = survivors[..Survivors(job, source, count, survivors)];
        charge += count * sizeof(ushort);
        if (survivors.Length == count && _target == page - 1 && _filled == KvShape.PageTokens)
        {
            (_target, _filled) = (page, count); // nothing before it went
        }
        else
        {
            if (survivors.Length > 0 && !TryOwnTargets(job, survivors.Length, positions[survivors[^1]], ref charge))
            {
                return false;
            }
            Touch(job);
            Move(job, page, survivors, positions);
            charge += job.To.UnitBytes;
            job.Table.Eviction.Slots += count - survivors.Length;
        }
        _rank += count;
        _source++;
        return true;
    }

    private int Survivors(EvictionJob job, UnitHandle source, int count, Span<byte> survivors)
    {
        ReadOnlySpan<ushort> goesWith = job.Ranks.Slice(_rank, count);
        ReadOnlySpan<byte> decisions = job.Metric == EvictionMetric.Decisions ? slots.Decisions(source) : default;
        int found = 0;
        for (int slot = 0; slot < count; slot++)
        {
            if (goesWith[slot] > job.Taken[job.Head] && (decisions.IsEmpty || !SlotDecision.IsMarked(decisions[slot])))
            {
                survivors[found++] = (byte)slot;
            }
        }
        return found;
    }

    // The copies are made before the first takes its place, so that a lack of bytes changes nothing.
    private bool TryOwnTargets(EvictionJob job, int survivors, int lastPosition, ref long charge)
    {
        bool opens = _filled + survivors > KvShape.PageTokens || lastPosition - Start(job, _target) > ushort.MaxValue;
        int first = _filled < KvShape.PageTokens ? _target : _target + 1;
        int last = opens ? _target + 1 : _target;
        Span<UnitHandle> copies = stackalloc UnitHandle[MostTargets];
        int count = 0;
        for (int target = first; target <= last; target++)
        {
            if (units.Entry(job.Table.Unit(job.Head, First + target)).References == 1)
            {
                continue;
            }
            if (!columns.TryAllocateFromReserve(job.To.SizeClass, out copies[count]))
            {
                columns.ReleaseAll(copies[..count]);
                return false;
            }
            count++;
        }
        int used = 0;
        for (int target = first; target <= last; target++)
        {
            if (units.Entry(job.Table.Unit(job.Head, First + target)).References > 1)
            {
                Replace(job, target, copies[used++]);
                charge += job.To.UnitBytes;
            }
        }
        // Making room may have dropped the prefix columns that shared a unit, which then needs no copy.
        columns.ReleaseAll(copies[used..count]);
        return true;
    }

    private void Replace(EvictionJob job, int page, UnitHandle copy)
    {
        UnitHandle shared = job.Table.Unit(job.Head, First + page);
        ref UnitEntry from = ref units.Entry(shared);
        ref UnitEntry to = ref units.Entry(copy);
        units.SetForm(ref to, from.Kind, from.KeyCodec, from.ValueCodec);
        (to.Start, to.FilledCount) = (from.Start, from.FilledCount);
        to.Flags = from.Flags & (UnitFlags.Sealed | UnitFlags.Gapped | UnitFlags.NonFinite);
        Buffer.MemoryCopy(units.Bytes(shared), units.Bytes(copy), job.To.UnitBytes, job.To.UnitBytes);
        job.Table.Replace(job.Head, First + page, copy);
        units.Release(shared);
    }

    private static void Touch(EvictionJob job)
    {
        PageTable table = job.Table;
        table.MarkEvicted(job.Columns);
        table.ExactTokens = Math.Min(table.ExactTokens, Squeezer.SinkColumns * KvShape.PageTokens);
        table.ReachedRung = Math.Max(table.ReachedRung, table.Rung);
    }

    // Sources lie at or behind their targets, so no slot is overwritten that is still needed.
    private void Move(EvictionJob job, int page, ReadOnlySpan<byte> survivors, ReadOnlySpan<int> positions)
    {
        UnitHandle source = job.Table.Unit(job.Head, First + page);
        UnitFlags sourceFlags = units.Entry(source).Flags;
        foreach (byte slot in survivors)
        {
            if (_filled == KvShape.PageTokens || positions[slot] - Start(job, _target) > ushort.MaxValue)
            {
                (_target, _filled) = (_target + 1, 0);
                Open(job, _target == page ? sourceFlags & UnitFlags.NonFinite : UnitFlags.None, positions[slot]);
            }
            UnitHandle target = job.Table.Unit(job.Head, First + _target);
            ref UnitEntry entry = ref units.Entry(target);
            if (_target != page || slot != _filled)
            {
                CopySlot(job.To.Page, Bytes(source, job.To.Page), slot, new SlotTarget(Bytes(target, job.To.Page), _filled));
                Span<byte> decisions = slots.Decisions(target);
                if (!decisions.IsEmpty)
                {
                    decisions[_filled] = slots.Decisions(source)[slot];
                }
                entry.Flags |= sourceFlags & UnitFlags.NonFinite;
            }
            Offsets(job, target)[_filled++] = (ushort)(positions[slot] - entry.Start);
            entry.FilledCount = (ushort)_filled;
        }
    }

    private int Start(EvictionJob job, int page) => units.Entry(job.Table.Unit(job.Head, First + page)).Start;

    private void Open(EvictionJob job, UnitFlags flags, int start)
    {
        UnitHandle target = job.Table.Unit(job.Head, First + _target);
        ref UnitEntry entry = ref units.Entry(target);
        Offsets(job, target).Clear();
        (entry.Start, entry.FilledCount) = (start, 0);
        entry.Flags = flags | UnitFlags.Sealed | UnitFlags.Gapped;
    }

    private Span<ushort> Offsets(EvictionJob job, UnitHandle unit)
    {
        PageFormat format = job.To.Page;
        var bytes = new Span<byte>(units.Bytes(unit), job.To.UnitBytes);
        return MemoryMarshal.Cast<byte, ushort>(bytes[format.OffsetStart..format.GappedBytes]);
    }

    private Span<byte> Bytes(UnitHandle unit, PageFormat format) => new(units.Bytes(unit), format.PageBytes);

    private static void CopySlot(PageFormat format, ReadOnlySpan<byte> from, int slot, SlotTarget to)
    {
        int keys = format.KeyBytes;
        format.KeyCodec.CopySlot(KvSide.Keys, new SlotMove(from[..keys], slot, to.Page[..keys], to.Slot), format.Shape);
        format.ValueCodec.CopySlot(KvSide.Values, new SlotMove(from[keys..], slot, to.Page[keys..], to.Slot), format.Shape);
    }

    // The pages between the last that holds something and the next to read.
    private void Free(EvictionJob job)
    {
        PageTable table = job.Table;
        int first = _target + 1;
        int count = _source - _freed - first;
        if (count == 0)
        {
            return;
        }
        long bytes = 0;
        for (int page = first; page < first + count; page++)
        {
            UnitHandle unit = table.Unit(job.Head, First + page);
            bytes += units.StrideBytes(unit);
            units.Release(unit);
        }
        // A sweep that goes on in this list stands behind the region.
        ref SweepState sweep = ref table.Sweep;
        if (sweep.Limit > 0 && sweep.Head == job.Head && sweep.Index >= First + first + count)
        {
            sweep.Index -= count;
        }
        table.RemoveRange(job.Head, First + first, count, bytes);
        columns.TrimLists(table);
        _freed += count;
    }

    private readonly ref struct SlotTarget(Span<byte> page, int slot)
    {
        public Span<byte> Page { get; } = page;

        public int Slot { get; } = slot;
    }
}
