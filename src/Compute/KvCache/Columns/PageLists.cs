using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Columns;

/// <summary>Reads and writes the blocks of page lists: [head, 16] handles in one arena unit.</summary>
internal sealed unsafe class PageLists(UnitTable units, int headCount)
{
    /// <summary>Bytes of one block.</summary>
    public static int BlockBytes(int headCount) => headCount * PageTable.BlockEntries * sizeof(ulong);

    public int HeadCount { get; } = headCount;

    public UnitHandle Read(UnitHandle block, int head, int entry) => Entries(block, head)[entry];

    public void Store(UnitHandle block, int head, int entry, UnitHandle unit) => Entries(block, head)[entry] = unit;

    /// <summary>A table takes a unit, which its account pays for if it is the first.</summary>
    public void Own(UnitHandle unit, ushort account) => units.Own(unit, account);

    /// <summary>Bytes of a table outside the arena, taken or given back.</summary>
    public void PayHeap(ushort account, long bytes) => units.Accounts.Add(account, bytes);

    /// <summary>Whether a slot of the unit may hold an infinity or a NaN.</summary>
    public bool IsNonFinite(UnitHandle unit) => units.Entry(unit).Flags.HasFlag(UnitFlags.NonFinite);

    /// <summary>The entries of one list; valid until the next allocation, which may move units.</summary>
    // A block is [HeadCount, BlockEntries] handles; head < HeadCount and entry < BlockEntries keep it in bounds.
    public UnitHandle* Entries(UnitHandle block, int head)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)head, (uint)HeadCount);
        return (UnitHandle*)units.Bytes(block) + (head * PageTable.BlockEntries);
    }
}
