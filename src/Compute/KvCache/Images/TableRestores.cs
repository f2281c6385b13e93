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

    /// <summary>Bytes of the arena that a record takes for units. Any thread.</summary>
    public long ArenaBytes(TableState state, int index, ReadOnlySpan<byte> record)
    {
        if (index < state.QueryLayers)
        {
            return inside.Arena.Classes[inside.Observations.SizeClass].StrideBytes;
        }
        long bytes = 0;
        foreach (int length in state.Lengths)
        {
            if (index - state.QueryLayers < length)
            {
                UnitHead of = UnitHead.Read(record);
                bytes += of.StrideBytes;
                record = record[(UnitHead.Bytes + inside.Pages.UnitBytes(of.ToEntry()))..];
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
    public static void Finish(PageTable table, TableState state, int tokens)
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
            int bytes = inside.Pages.UnitBytes(of.ToEntry());
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
        bool evicted = rank < state.UnitsBefore[head];
        int column = rank - state.UnitsBefore[head] + state.EvictedColumns;
        return of.Kind == UnitKind.HeadPage
            && (of.Flags & ~KnownFlags) == 0
            && of.FilledCount <= KvShape.PageTokens
            && IsKnown(of.KeyCodec) && IsKnown(of.ValueCodec)
            && SizeClassOf(of) >= 0
            && (evicted ? of.Start >= 0 && of.Start < state.TokenCount : of.Start == column * KvShape.PageTokens);
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
