using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Images;

/// <summary>
/// Copies page tables out of the arena and back, bit by bit: a state, and for each rank the units at that place of all lists (a
/// rank is a column, unless eviction has cut it). Nothing of what an unfilled slot held before goes out. Engine thread only,
/// but for <see cref="Problem"/>, which touches nothing.
/// </summary>
internal sealed unsafe class TableImages(CacheInterior inside, KvShape shape)
{
    private const UnitFlags KnownFlags = UnitFlags.Exact | UnitFlags.Sealed | UnitFlags.NonFinite | UnitFlags.Gapped | UnitFlags.Stays | UnitFlags.Guarded;

    /// <summary>Lists of a table.</summary>
    public int HeadCount => shape.HeadCount;

    /// <summary>Bytes of a rank's record.</summary>
    public int RecordBytes(PageTable table, int rank)
    {
        int bytes = 0;
        for (int head = 0; head < shape.HeadCount; head++)
        {
            bytes += rank < table.UnitCount(head) ? UnitHead.Bytes + inside.Pages.UnitBytes(inside.Units.Entry(table.Unit(head, rank))) : 0;
        }
        return bytes;
    }

    /// <summary>Copies a rank out.</summary>
    /// <param name="table">A table whose open page holds no slot beyond its tokens.</param>
    /// <param name="rank">Place in the lists.</param>
    /// <param name="record">Receives <see cref="RecordBytes"/>.</param>
    public void Write(PageTable table, int rank, Span<byte> record)
    {
        for (int head = 0; head < shape.HeadCount; head++)
        {
            if (rank >= table.UnitCount(head))
            {
                continue;
            }
            UnitHandle unit = table.Unit(head, rank);
            UnitEntry entry = inside.Units.Entry(unit);
            UnitHead.Of(entry, inside.Units.StrideBytes(unit)).Write(record);
            int bytes = inside.Pages.UnitBytes(entry);
            Span<byte> copy = record.Slice(UnitHead.Bytes, bytes);
            if (entry.Flags.HasFlag(UnitFlags.Sealed))
            {
                new ReadOnlySpan<byte>(inside.Units.Bytes(unit), bytes).CopyTo(copy);
            }
            else
            {
                inside.Pages.CopySlots(unit, Math.Clamp(table.TokenCount - entry.Start, 0, KvShape.PageTokens), copy);
            }
            record = record[(UnitHead.Bytes + bytes)..];
        }
    }

    /// <summary>What makes an image one that no table of this cache could have given; null: nothing. Any thread.</summary>
    public string? Problem(TableState state, IReadOnlyList<byte[]> ranks)
    {
        if (state.Lengths.Length != shape.HeadCount)
        {
            return $"it has {state.Lengths.Length} lists, this cache {shape.HeadCount}";
        }
        if (state.Problem(inside.Rungs.Count) is { } problem)
        {
            return problem;
        }
        if (ranks.Count != state.LongestList)
        {
            return $"it has {ranks.Count} ranks for lists of up to {state.LongestList} units";
        }
        for (int rank = 0; rank < ranks.Count; rank++)
        {
            if (RankProblem(state, rank, ranks[rank]) is { } wrong)
            {
                return $"rank {rank}: {wrong}";
            }
        }
        return null;
    }

    /// <summary>Copies ranks of an image that has no <see cref="Problem"/> into an empty table.</summary>
    /// <param name="table">The empty table.</param>
    /// <param name="state">State of the image.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="tokens">Tokens that are wanted; columns behind them are left out, unless eviction has cut some.</param>
    /// <returns>False when the bytes cannot be had; the table then holds part of them, for release.</returns>
    public bool TryRestore(PageTable table, TableState state, IReadOnlyList<byte[]> ranks, int tokens)
    {
        int count = RankCount(state, tokens);
        for (int rank = 0; rank < count; rank++)
        {
            if (!TryAppend(table, state, rank, ranks[rank]))
            {
                return false;
            }
        }
        table.TokenCount = table.ReservedTokens = count == ranks.Count ? state.TokenCount : count * KvShape.PageTokens;
        table.ExactTokens = Math.Min(state.ExactTokens, table.TokenCount);
        (table.Rung, table.CommittedRung, table.KeepsQueries) = (state.Rung, state.CommittedRung, state.KeepsQueries);
        table.ReachedRung = table.ExactTokens == table.TokenCount ? 0 : state.ReachedRung;
        (table.TranscodedUnits, table.GuardedUnits) = (state.TranscodedUnits, state.GuardedUnits);
        table.Sweep.Done = Math.Min(state.SweptColumns, table.TokenCount / KvShape.PageTokens);
        (table.Eviction.Done, table.Eviction.Slots) = (state.EvictionDone, state.EvictedSlots);
        table.SetEvicted(state.EvictedColumns, state.EvictedColumns == 0 ? [] : [.. state.UnitsBefore]);
        return true;
    }

    /// <summary>Bytes of the arena that <see cref="TryRestore"/> takes for units. Any thread.</summary>
    public long ArenaBytes(TableState state, IReadOnlyList<byte[]> ranks, int tokens)
    {
        long bytes = 0;
        for (int rank = 0; rank < RankCount(state, tokens); rank++)
        {
            ReadOnlySpan<byte> record = ranks[rank];
            foreach (int length in state.Lengths)
            {
                if (rank < length)
                {
                    UnitHead of = UnitHead.Read(record);
                    bytes += of.StrideBytes;
                    record = record[(UnitHead.Bytes + inside.Pages.UnitBytes(of.ToEntry()))..];
                }
            }
        }
        return bytes;
    }

    // What eviction left of its columns was chosen together: all of it, or nothing.
    private static int RankCount(TableState state, int tokens) =>
        state.EvictedColumns > 0 || tokens >= state.TokenCount ? state.LongestList : KvShape.PagesFor(tokens);

    private bool TryAppend(PageTable table, TableState state, int rank, ReadOnlySpan<byte> record)
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
