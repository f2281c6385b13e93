using Concertina.Compute.KvCache.Columns;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Images;

/// <summary>
/// Copies images of page tables back into the arena, record by record, as <see cref="TableImages"/> wrote them. Engine thread only,
/// but for what looks at records alone (problems, bytes), which touches nothing.
/// </summary>
internal sealed unsafe class TableRestores(CacheInterior inside, KvShape shape)
{
    private const UnitFlags KnownFlags = UnitFlags.Exact | UnitFlags.Sealed | UnitFlags.NonFinite | UnitFlags.Gapped | UnitFlags.Stays | UnitFlags.Guarded;

    /// <summary>Lists of a table.</summary>
    public int HeadCount => shape.HeadCount;

    /// <summary>Most bytes of a record.</summary>
    public int MostRecordBytes => inside.Images.MostRecordBytes;

    /// <summary>What makes a state one that no table of this cache could have; null: nothing. Any thread.</summary>
    public string? Problem(TableState state) => state.Lengths.Length != shape.HeadCount
        ? $"it has {state.Lengths.Length} lists, this cache {shape.HeadCount}"
        : state.Problem(inside.Rungs.Count, inside.Observations.SizeClass < 0 ? 0 : shape.LayerCount);

    /// <summary>What makes a record one that no table with this state could have given; null: nothing. Any thread.</summary>
    /// <param name="state">A state without a problem.</param>
    /// <param name="index">Place of the record, 0 for the one after the first.</param>
    /// <param name="record">Its bytes.</param>
    public string? Problem(TableState state, int index, ReadOnlySpan<byte> record)
    {
        if (index >= state.RecordCount)
        {
            return $"it has more than {state.RecordCount} records for lists of up to {state.LongestList} units";
        }
        if (index < state.QueryLayers)
        {
            return record.Length == inside.Observations.UnitBytes
                ? null
                : $"the queries of layer {index} have {record.Length} bytes, not {inside.Observations.UnitBytes}";
        }
        int rank = index - state.QueryLayers;
        return RankProblem(state, rank, record) is { } problem ? $"rank {rank}: {problem}" : null;
    }

    /// <summary>Records to copy back, from the first, so that a table holds these tokens; it may come to hold more.</summary>
    /// <param name="state">State of the image.</param>
    /// <param name="tokens">Tokens that are wanted; columns behind them are left out, unless eviction has cut some.</param>
    public static int Wanted(TableState state, int tokens) => state.QueryLayers + RankCount(state, tokens);

    /// <summary>What makes a record without a problem one that does not continue a table: parts of units whose first part is missing; null: nothing.</summary>
    public string? Problem(PageTable table, TableState state, int index, ReadOnlySpan<byte> record)
    {
        int rank = index - state.QueryLayers;
        Span<UnitHead> heads = stackalloc UnitHead[rank < 0 ? 0 : shape.HeadCount];
        for (int head = 0; head < heads.Length; head++)
        {
            if (rank >= state.Lengths[head])
            {
                continue;
            }
            UnitHead of = heads[head] = UnitHead.Read(record);
            (int Head, int Rank) lead = Lead(of, rank, head);
            UnitHead first = lead.Rank == rank ? heads[lead.Head] : HeadOf(table.Unit(lead.Head, lead.Rank));
            if (first != of)
            {
                return $"rank {rank}: list {head} has a part of {of} after {first}";
            }
            record = record[(UnitHead.Bytes + (lead == (head, rank) ? inside.Pages.UnitBytes(of.ToEntry()) : 0))..];
        }
        return null;
    }

    /// <summary>Bytes of the arena that a record takes for units. Any thread.</summary>
    public long ArenaBytes(TableState state, int index, ReadOnlySpan<byte> record)
    {
        if (index < state.QueryLayers)
        {
            return inside.Arena.Classes[inside.Observations.SizeClass].StrideBytes;
        }
        long bytes = 0;
        int rank = index - state.QueryLayers;
        for (int head = 0; head < shape.HeadCount; head++)
        {
            if (rank < state.Lengths[head])
            {
                UnitHead of = UnitHead.Read(record);
                bool leads = Lead(of, rank, head) == (head, rank);
                bytes += leads ? of.StrideBytes : 0;
                record = record[(UnitHead.Bytes + (leads ? inside.Pages.UnitBytes(of.ToEntry()) : 0))..];
            }
        }
        return bytes;
    }

    /// <summary>Copies the next record into a table. Until <see cref="Finish"/> the table is good for nothing but release.</summary>
    /// <param name="table">A table that holds the records before.</param>
    /// <param name="state">State of the image.</param>
    /// <param name="index">Place of the record.</param>
    /// <param name="record">A record without a problem.</param>
    /// <returns>False when the bytes cannot be had; the table may then hold part of the record, for release.</returns>
    public bool TryAppend(PageTable table, TableState state, int index, ReadOnlySpan<byte> record)
    {
        if (index >= state.QueryLayers)
        {
            return TryAppendRank(table, state, index - state.QueryLayers, record);
        }
        if (!inside.Observations.TryAttach(table))
        {
            return false;
        }
        inside.Observations.CopyIn(table, index, record);
        return true;
    }

    /// <summary>Makes a table of the records that were copied: it is what the other one was, or its first columns.</summary>
    /// <param name="table">A table with <see cref="Wanted"/> records.</param>
    /// <param name="state">State of the image.</param>
    /// <param name="tokens">Tokens that were wanted.</param>
    public void Finish(PageTable table, TableState state, int tokens)
    {
        int count = RankCount(state, tokens);
        table.TokenCount = table.ReservedTokens = count == state.LongestList ? state.TokenCount : count * KvShape.PageTokens;
        table.ExactTokens = Math.Min(state.ExactTokens, table.TokenCount);
        (table.Rung, table.CommittedRung, table.KeepsQueries) = (state.Rung, state.CommittedRung, state.KeepsQueries);
        table.ReachedRung = table.ExactTokens == table.TokenCount ? 0 : state.ReachedRung;
        (table.TranscodedUnits, table.GuardedUnits) = (state.TranscodedUnits, state.GuardedUnits);
        table.Sweep.Done = Math.Min(state.SweptColumns, table.TokenCount / KvShape.PageTokens);
        (table.Eviction.Done, table.Eviction.Slots, table.Eviction.Reach.Packed) = (state.EvictionDone, state.EvictedSlots, state.EvictionReach);
        table.SetEvicted(state.EvictedColumns, state.EvictedColumns == 0 ? [] : [.. state.UnitsBefore]);
        TrimSegments(table);
    }

    // Fewer columns than there were may end inside a segment, of which not all pages are then in the list.
    private void TrimSegments(PageTable table)
    {
        int columns = table.ColumnCount;
        int whole = inside.Columns.Places.WholeColumns(table, columns);
        if (whole < columns)
        {
            inside.Columns.RemoveBeyond(table, whole);
            table.TokenCount = table.ReservedTokens = whole * KvShape.PageTokens;
            table.ExactTokens = Math.Min(table.ExactTokens, table.TokenCount);
            Transcoding.Squeezer.Cut(table);
        }
    }

    // What eviction left of its columns was chosen together: all of it, or nothing.
    private static int RankCount(TableState state, int tokens) =>
        state.EvictedColumns > 0 || tokens >= state.TokenCount ? state.LongestList : KvShape.PagesFor(tokens);

    private bool TryAppendRank(PageTable table, TableState state, int rank, ReadOnlySpan<byte> record)
    {
        if (rank == table.BlockCount * PageTable.BlockEntries && !inside.Columns.TryAddBlock(table))
        {
            return false;
        }
        for (int head = 0; head < shape.HeadCount; head++)
        {
            if (rank >= state.Lengths[head])
            {
                continue;
            }
            UnitHead of = UnitHead.Read(record);
            if (Lead(of, rank, head) != (head, rank))
            {
                (int leadHead, int leadRank) = Lead(of, rank, head);
                table.Append(head, table.Unit(leadHead, leadRank), strideBytes: 0);
                record = record[UnitHead.Bytes..];
                continue;
            }
            if (!inside.Columns.TryAllocate(SizeClassOf(of), out UnitHandle unit))
            {
                return false;
            }
            ref UnitEntry entry = ref inside.Units.Entry(unit);
            inside.Units.SetForm(ref entry, of.Kind, of.KeyCodec, of.ValueCodec);
            of.CopyTo(ref entry);
            int bytes = inside.Pages.UnitBytes(of.ToEntry());
            // The unit's slot has the image's stride, which Problem found to be no shorter than its bytes.
            record.Slice(UnitHead.Bytes, bytes).CopyTo(new Span<byte>(inside.Units.Bytes(unit), bytes));
            table.Append(head, unit, inside.Units.StrideBytes(unit));
            record = record[(UnitHead.Bytes + bytes)..];
        }
        return true;
    }

    private string? RankProblem(TableState state, int rank, ReadOnlySpan<byte> record)
    {
        for (int head = 0; head < shape.HeadCount; head++)
        {
            if (rank >= state.Lengths[head])
            {
                continue;
            }
            if (record.Length < UnitHead.Bytes)
            {
                return $"list {head} has no unit";
            }
            UnitHead of = UnitHead.Read(record);
            if (!IsPossible(of, state, rank, head))
            {
                return $"list {head} has no possible unit: {of}";
            }
            int bytes = Lead(of, rank, head) == (head, rank) ? inside.Pages.UnitBytes(of.ToEntry()) : 0;
            if (bytes > of.StrideBytes || record.Length < UnitHead.Bytes + bytes)
            {
                return $"list {head} has a unit of {bytes} bytes with {record.Length - UnitHead.Bytes} left, in a slot of {of.StrideBytes}";
            }
            record = record[(UnitHead.Bytes + bytes)..];
        }
        return record.IsEmpty ? null : $"{record.Length} bytes follow its last unit";
    }

    private bool IsPossible(in UnitHead of, TableState state, int rank, int head)
    {
        if ((of.Flags & ~KnownFlags) != 0 || ShapeOf(of) is not { } unit || of.FilledCount > unit.SlotCount || SizeClassOf(of) < 0)
        {
            return false;
        }
        int column = rank - state.UnitsBefore[head] + state.EvictedColumns;
        if (unit.Kind == UnitKind.HeadPage)
        {
            bool evicted = rank < state.UnitsBefore[head];
            return evicted ? of.Start >= 0 && of.Start < state.TokenCount : of.Start == column * KvShape.PageTokens;
        }
        int first = rank - (rank % unit.PageCount);
        return column == rank && of.Start == first * KvShape.PageTokens && of.FilledCount == unit.SlotCount && of.Flags.HasFlag(UnitFlags.Sealed);
    }

    private UnitHead HeadOf(UnitHandle unit) => UnitHead.Of(inside.Units.Entry(unit), inside.Units.StrideBytes(unit));

    // The place whose record has the bytes of a possible unit.
    private (int Head, int Rank) Lead(in UnitHead of, int rank, int head) =>
        (inside.Columns.Places.LeadHead(of.Kind, head), rank - UnitPlaces.PageOf(rank, of.ToEntry()));

    // Null where no unit of this cache is stored so.
    private UnitShape? ShapeOf(in UnitHead of)
    {
        if (!IsKnown(of.KeyCodec) || !IsKnown(of.ValueCodec))
        {
            return null;
        }
        UnitShape unit = inside.Pages.ShapeOf(of.KeyCodec);
        return unit.Kind == of.Kind && unit == inside.Pages.ShapeOf(of.ValueCodec) ? unit : null;
    }

    private bool IsKnown(byte codec) => inside.Codecs.All.Any(known => (byte)known.Id == codec);

    private int SizeClassOf(in UnitHead of)
    {
        for (int sizeClass = 0; sizeClass < inside.Arena.Classes.Count; sizeClass++)
        {
            if (inside.Arena.Classes[sizeClass].StrideBytes == of.StrideBytes)
            {
                return sizeClass;
            }
        }
        return -1;
    }
}
