namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// The physical bytes a cache may hold: fixed tables and scratch, growing lists, and extents. The one place that says
/// whether another extent may be opened, so held bytes cannot pass the budget.
/// </summary>
internal sealed class CacheBudget(long budgetBytes, double reserveShare, int sizeCount = 1)
{
    // Each size of page and the page lists leave up to one extent partly filled when all others are full.
    private readonly long _roundingBytes = (sizeCount + 1L) * ExtentArena.ExtentBytes;

    public long BudgetBytes { get; private set; } = budgetBytes;

    /// <summary>Belongs to no session; at least one extent, so that another size class can be started.</summary>
    public long ReserveBytes { get; private set; } = ReserveOf(budgetBytes, reserveShare);

    /// <summary>Tables made once, and declared scratch.</summary>
    public long FixedBytes { get; private set; }

    /// <summary>Lists of the page tables outside the arena.</summary>
    public long ListBytes { get; private set; }

    /// <summary>Bytes outside the arena that squeezing holds for a while; paid from the reserve, so commitments do not feel them.</summary>
    public long BorrowedBytes { get; private set; }

    /// <summary>Sum of commitments that can always be met.</summary>
    public long CommittableBytes => CommittableFor(BudgetBytes);

    /// <summary>Sum of commitments that another budget could always meet.</summary>
    public long CommittableFor(long bytes) => Math.Max(0, bytes - ReserveOf(bytes, reserveShare) - FixedBytes - _roundingBytes);

    public bool CanOpenExtent(int extentsInUse, bool fromReserve) => CanAddLists(ExtentArena.ExtentBytes, extentsInUse, fromReserve);

    public bool CanAddLists(long bytes, int extentsInUse, bool fromReserve) =>
        HeldBytes(extentsInUse) + bytes <= BudgetBytes - (fromReserve ? 0 : ReserveBytes - BorrowedBytes);

    /// <summary>Physical bytes: fixed, lists, borrowed ones and whole extents.</summary>
    public long HeldBytes(int extentsInUse) => FixedBytes + ListBytes + BorrowedBytes + ((long)extentsInUse * ExtentArena.ExtentBytes);

    public void AddFixed(long bytes) => FixedBytes += bytes;

    public void AddLists(long bytes) => ListBytes += bytes;

    /// <summary>Borrows from the reserve; never more than it has, so that what is held stays within the budget.</summary>
    public bool TryBorrow(long bytes, int extentsInUse)
    {
        if (BorrowedBytes + bytes > ReserveBytes || HeldBytes(extentsInUse) + bytes > BudgetBytes)
        {
            return false;
        }
        BorrowedBytes += bytes;
        return true;
    }

    public void GiveBack(long bytes) => BorrowedBytes -= bytes;

    /// <summary>Least budget with which one column could be committed; <see cref="RequireRoom"/> refuses less.</summary>
    public long LeastBytes(long columnBytes) => ReserveBytes + FixedBytes + _roundingBytes + columnBytes;

    /// <exception cref="ArgumentException">With so many bytes less, not even one column could be committed.</exception>
    public void RequireRoom(long lessBytes, long columnBytes)
    {
        if (BudgetBytes - lessBytes - ReserveBytes - FixedBytes - _roundingBytes < columnBytes)
        {
            throw new ArgumentException(
                $"A KV cache budget of {BudgetBytes - lessBytes:N0} bytes is too small: its tables and scratch take {FixedBytes:N0}, the " +
                $"transcode reserve {ReserveBytes:N0}, rounding to extents {_roundingBytes:N0}, and one column of {KvShape.PageTokens} " +
                $"tokens needs {columnBytes:N0} bytes. Raise KvCache:BudgetBytes.");
        }
    }

    public void Resize(long budgetBytes)
    {
        BudgetBytes = budgetBytes;
        ReserveBytes = ReserveOf(budgetBytes, reserveShare);
    }

    private static long ReserveOf(long budgetBytes, double share) =>
        Math.Max(ExtentArena.ExtentBytes, (long)(budgetBytes * share));
}
