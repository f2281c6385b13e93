using System.Buffers.Binary;

namespace Concertina.Compute.KvCache.Images;

/// <summary>What a page table says of its units, beside the units: enough to make an equal table of equal units.</summary>
internal sealed record TableState
{
    private const int NumberCount = 14;
    private const int NumberBytes = sizeof(long);

    /// <summary>Tokens whose K and V the units hold.</summary>
    public required int TokenCount { get; init; }

    /// <summary>Tokens before the first inexact column.</summary>
    public required int ExactTokens { get; init; }

    /// <summary>Rung the units are moved to.</summary>
    public required int Rung { get; init; }

    /// <summary>Rung whose bytes the table was promised, or null.</summary>
    public required int? CommittedRung { get; init; }

    /// <summary>Deepest rung any unit was moved to or computed over.</summary>
    public required int ReachedRung { get; init; }

    /// <summary>Columns that were moved to the rung.</summary>
    public required int SweptColumns { get; init; }

    /// <summary>Columns, from the first, whose slots eviction has cut.</summary>
    public required int EvictedColumns { get; init; }

    /// <summary>Columns that the last eviction covered.</summary>
    public required int EvictionDone { get; init; }

    /// <summary>Slots evicted.</summary>
    public required long EvictedSlots { get; init; }

    /// <summary>How thoroughly which columns were evicted (<see cref="Eviction.EvictionReach.Packed"/>).</summary>
    public required long EvictionReach { get; init; }

    /// <summary>Units stored anew since the table was made.</summary>
    public required long TranscodedUnits { get; init; }

    /// <summary>Units kept in a finer form.</summary>
    public required long GuardedUnits { get; init; }

    /// <summary>Whether it keeps its last queries on a rung that does not evict too.</summary>
    public required bool KeepsQueries { get; init; }

    /// <summary>Layers whose last queries it keeps: all, or none.</summary>
    public required int QueryLayers { get; init; }

    /// <summary>Units of each list.</summary>
    public required int[] Lengths { get; init; }

    /// <summary>Of those, units that hold evicted columns.</summary>
    public required int[] UnitsBefore { get; init; }

    /// <summary>Units of the longest list.</summary>
    public int LongestList => Lengths.Max();

    /// <summary>Records that follow: the queries of its layers, then its ranks.</summary>
    public int RecordCount => QueryLayers + LongestList;

    /// <summary>Bytes of the written form.</summary>
    public static int ByteCount(int headCount) => (NumberCount + (2 * headCount)) * NumberBytes;

    public static TableState Of(PageTable table)
    {
        int[] heads = [.. Enumerable.Range(0, table.Owner.Shape.HeadCount)];
        return new TableState
        {
            TokenCount = table.TokenCount,
            ExactTokens = table.ExactTokens,
            Rung = table.Rung,
            CommittedRung = table.CommittedRung,
            ReachedRung = table.ReachedRung,
            SweptColumns = table.Sweep.Done,
            EvictedColumns = table.EvictedColumns,
            EvictionDone = table.Eviction.Done,
            EvictedSlots = table.Eviction.Slots,
            EvictionReach = table.Eviction.Reach.Packed,
            TranscodedUnits = table.TranscodedUnits,
            GuardedUnits = table.GuardedUnits,
            KeepsQueries = table.KeepsQueries,
            QueryLayers = table.Rings.Length,
            Lengths = [.. heads.Select(table.UnitCount)],
            UnitsBefore = [.. heads.Select(head => table.EvictedColumns == 0 ? 0 : table.IndexOf(head, table.EvictedColumns))],
        };
    }

    /// <summary>Writes the state, little-endian.</summary>
    public void Write(Span<byte> bytes)
    {
        long[] numbers =
        [
            TokenCount, ExactTokens, Rung, CommittedRung ?? -1, ReachedRung, SweptColumns, EvictedColumns, EvictionDone, EvictedSlots,
            TranscodedUnits, GuardedUnits, KeepsQueries ? 1 : 0, QueryLayers, EvictionReach, .. Lengths, .. UnitsBefore,
        ];
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes[(i * NumberBytes)..], numbers[i]);
        }
    }

    /// <summary>Reads what was written.</summary>
    /// <returns>Null when these bytes are no state of a table with so many lists.</returns>
    public static TableState? Read(ReadOnlySpan<byte> bytes, int headCount)
    {
        if (bytes.Length != ByteCount(headCount))
        {
            return null;
        }
        long[] numbers = new long[NumberCount + (2 * headCount)];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * NumberBytes)..]);
            if (i is not (8 or 9 or 10 or 13) && numbers[i] is < -1 or > int.MaxValue)
            {
                return null;
            }
        }
        return new TableState
        {
            TokenCount = (int)numbers[0],
            ExactTokens = (int)numbers[1],
            Rung = (int)numbers[2],
            CommittedRung = numbers[3] < 0 ? null : (int)numbers[3],
            ReachedRung = (int)numbers[4],
            SweptColumns = (int)numbers[5],
            EvictedColumns = (int)numbers[6],
            EvictionDone = (int)numbers[7],
            EvictedSlots = numbers[8],
            TranscodedUnits = numbers[9],
            GuardedUnits = numbers[10],
            KeepsQueries = numbers[11] == 1,
            QueryLayers = (int)numbers[12],
            EvictionReach = numbers[13],
            Lengths = [.. numbers.Skip(NumberCount).Take(headCount).Select(number => (int)number)],
            UnitsBefore = [.. numbers.Skip(NumberCount + headCount).Select(number => (int)number)],
        };
    }

    /// <summary>What contradicts itself or the cache, or null.</summary>
    /// <param name="rungCount">Rungs of the cache.</param>
    /// <param name="queryLayers">Layers whose queries a table of the cache may keep.</param>
    public string? Problem(int rungCount, int queryLayers)
    {
        if (QueryLayers != 0 && QueryLayers != queryLayers)
        {
            return $"it claims the last queries of {QueryLayers} layers of {queryLayers}";
        }
        int columns = KvShape.PagesFor(TokenCount);
        if (TokenCount < 1 || ExactTokens < 0 || ExactTokens > TokenCount || EvictedColumns < 0 || EvictedColumns > columns)
        {
            return $"it claims {TokenCount} tokens, {ExactTokens} exact, {EvictedColumns} columns evicted";
        }
        if (Math.Max(Rung, Math.Max(ReachedRung, CommittedRung ?? 0)) >= rungCount || Math.Min(Rung, ReachedRung) < 0)
        {
            return $"it claims rungs {Rung} and {ReachedRung} of {rungCount}";
        }
        if (SweptColumns < 0 || SweptColumns > columns || EvictionDone < 0 || EvictionDone > columns)
        {
            return $"it claims {SweptColumns} columns swept and {EvictionDone} looked at of {columns}";
        }
        for (int head = 0; head < Lengths.Length; head++)
        {
            if (UnitsBefore[head] < 0 || Lengths[head] - UnitsBefore[head] != columns - EvictedColumns)
            {
                return $"list {head} claims {Lengths[head]} units for {columns} columns";
            }
        }
        return null;
    }
}
